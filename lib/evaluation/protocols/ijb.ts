/**
 * IJB-B's and IJB-C's 1:1 protocol from the lists that FaceX-Zoo and insightface share.
 * @module
 */
import path from 'node:path'

import { z } from 'zod'

import { object } from '../../config/check.js'
import { readPairText } from '../../data/pairs.js'
import { throwProblems } from '../../errors.js'
import { verifyTemplates, type TemplateSet } from '../template-verification.js'
import { defineProtocol, type Protocol } from './protocol.js'

const schema = object({
  cropped_face_folder: z.string().min(1).describe('folder of aligned faces'),
  image_list_file_path: z.string().optional().describe("FaceX-Zoo's list of images; not needed"),
  template_media_list_path: z.string().min(1).describe('"image template medium" lines'),
  template_pair_list_path: z.string().min(1).describe('"template template 0/1" lines'),
  image_score_list_path: z.string().min(1).describe('"image ... score" lines, in the order of the templates\' list; the last field is the detector score'),
  use_detector_score: z.boolean().default(true).describe('weigh each image by its detector score'),
})

function openSet(config: z.infer<typeof schema>, name: string): TemplateSet {
  const images = fields(config.template_media_list_path, /^(\S+)\s+(\d+)\s+(\d+)$/, '"image template medium"')
  const pairs = fields(config.template_pair_list_path, /^(\d+)\s+(\d+)\s+([01])$/, '"template template 0/1"')
  const scored = fields(config.image_score_list_path, /^(\S+)\s(?:.*\s)?([\d.eE+-]+)$/, '"image ... score"')
  const at = images.findIndex(([image], i) => scored[i]?.[0] !== image)
  const differ = at >= 0 ? [`${config.image_score_list_path}: expected the images of ${config.template_media_list_path} in their order, image ${at + 1} differs`] : []
  throwProblems('ERR_DATA', `${name}: the lists do not fit together:`, differ)
  return {
    name,
    files: images.map(([image]) => path.resolve(config.cropped_face_folder, image!)),
    templates: images.map(([, template]) => Number(template)),
    media: images.map(([, , medium]) => Number(medium)),
    ...(config.use_detector_score && { weights: scored.map(([, score]) => Number(score)) }),
    first: pairs.map(([first]) => Number(first)),
    second: pairs.map(([, second]) => Number(second)),
    genuine: Uint8Array.from(pairs, ([, , same]) => Number(same)),
  }
}

/** Groups of the pattern for every line. */
function fields(file: string, pattern: RegExp, expected: string): string[][] {
  const problems: string[] = []
  const rows = readPairText(file)
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === '') return []
      const match = pattern.exec(line.trim())
      if (match === null) problems.push(`${file}:${index + 1}: expected ${expected}, found ${JSON.stringify(line)}`)
      return [match?.slice(1) ?? []]
    })
  throwProblems('ERR_DATA', 'The list has mistakes:', problems)
  return rows
}

function ijb(name: string, summary: string): Protocol {
  return defineProtocol({
    name,
    summary,
    schema,
    create(config, entry) {
      const set = openSet(config, entry)
      return { run: async (embedder, { rule: _rule, folds: _folds, ...options }) => ({ kind: 'templates', ...(await verifyTemplates(embedder, set, options)) }) }
    },
  })
}

export const ijbProtocols: readonly Protocol[] = [ijb('IJBB', 'IJB-B 1:1: templates of images and videos, TAR at FAR'), ijb('IJBC', 'IJB-C 1:1: templates of images and videos, TAR at FAR')]
