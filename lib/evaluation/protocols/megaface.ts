/**
 * MegaFace with FaceScrub's photos, from the lists of its development kit. Photos of the noise lists are left out.
 * @module
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { z } from 'zod'

import { check, object } from '../../config/check.js'
import { ConfigTree } from '../../config/tree.js'
import { readPairText } from '../../data/pairs.js'
import { FacexError, messageOf } from '../../errors.js'
import { identify } from '../megaface.js'
import { requireImages } from '../pair-set.js'
import { defineProtocol } from './protocol.js'

const schema = object({
  facescrub_list: z.string().min(1).describe('JSON with "path" and "id" of the photos of known persons'),
  megaceface_list: z.string().min(1).describe('JSON with "path" of the distractors'),
  facescrub_noises_file: z.string().optional().describe('names of photos that show somebody else'),
  megaface_noises_file: z.string().optional().describe('paths of distractors that show known persons'),
  cropped_face_folder: z.string().min(1).describe('folder of aligned faces'),
  image_list_file: z.string().optional().describe("FaceX-Zoo's list of images; not needed"),
  'megaface-mask': z.union([z.literal(0), z.literal(1)]).default(0).describe('1: the probes wear masks'),
  masked_cropped_face_folder: z.string().optional().describe('folder of the masked photos, at the same paths'),
  masked_image_list_file: z.string().optional().describe("FaceX-Zoo's list of masked images; not needed"),
})

export const megaface = defineProtocol({
  name: 'MegaFace',
  summary: 'photos among up to a million distractors, with or without masks: rank 1, 3, 5, 10',
  schema,
  options: [],
  create(config, name) {
    const known = readList(config.facescrub_list)
    const others = readList(config.megaceface_list)
    const wrong = noises(config.facescrub_noises_file)
    const doubles = noises(config.megaface_noises_file)
    const ids = known.id
    if (ids?.length !== known.path.length) throw new FacexError('ERR_DATA', `${config.facescrub_list}: expected an "id" for each "path"`)
    const kept = [...known.path.keys()].filter((i) => !wrong.has(path.basename(known.path[i]!)))
    const below = (root: string) => kept.map((i) => path.resolve(root, known.path[i]!))
    const masked = config['megaface-mask'] === 1
    if (masked && config.masked_cropped_face_folder === undefined) throw new FacexError('ERR_CONFIG', `${name}: megaface-mask: 1 needs masked_cropped_face_folder`)
    const single = [...others.path.keys()].filter((i) => !doubles.has(others.path[i]!))
    const photos = below(config.cropped_face_folder)
    const distractors = single.map((i) => path.resolve(config.cropped_face_folder, others.path[i]!))
    const maskedPhotos = masked ? below(config.masked_cropped_face_folder!) : undefined
    const photoPlace = (photo: number) => `${config.facescrub_list}: path[${kept[photo]}]`
    const distractorPlace = (distractor: number) => `${config.megaceface_list}: path[${single[distractor]}]`
    requireImages(photos, photoPlace)
    requireImages(distractors, distractorPlace)
    requireImages(maskedPhotos ?? [], photoPlace)
    const set = {
      name,
      photos,
      persons: kept.map((i) => String(ids[i])),
      ...(maskedPhotos !== undefined && { masked: maskedPhotos }),
      distractors,
      photoPlace,
      distractorPlace,
    }
    return { run: async (embedder, options) => ({ kind: 'identification', ...(await identify(embedder, set, options)) }) }
  },
})

const listSchema = z.object({ path: z.array(z.string()), id: z.array(z.union([z.string(), z.number()])).optional() })

function readList(file: string): z.infer<typeof listSchema> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the list cannot be read: ${messageOf(cause)}`, { cause })
  }
  return check(listSchema, content, new ConfigTree(content, file))
}

/** A name a line, after a tab where there is one; `#` starts a comment. */
function noises(file: string | undefined): Set<string> {
  const lines = file === undefined ? [] : readPairText(file).split(/\r?\n/)
  return new Set(lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => (line.split('\t')[1] ?? line).trim()))
}
