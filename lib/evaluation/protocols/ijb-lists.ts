/**
 * The lists of IJB-B and IJB-C that FaceX-Zoo and insightface share: which image belongs to which template and medium,
 * how sure the detector was of it, and the templates of galleries and probes.
 * @module
 */
import path from 'node:path'

import { z } from 'zod'

import { readPairText } from '../../data/pairs.js'
import { FacexError, throwProblems } from '../../errors.js'
import { requireImages } from '../pair-set.js'
import type { TemplateList } from '../template-identification.js'
import type { ListedTemplateImages } from '../templates.js'

/** Keys of data_conf.yaml that both protocols have. */
export const imageKeys = {
  cropped_face_folder: z.string().min(1).describe('folder of aligned faces'),
  image_list_file_path: z.string().optional().describe("FaceX-Zoo's list of images; not needed"),
  template_media_list_path: z.string().min(1).describe('"image template medium" lines'),
  image_score_list_path: z.string().min(1).describe('"image ... score" lines, in the order of the templates\' list; the last field is the detector score'),
  use_detector_score: z.boolean().default(true).describe('weigh each image by its detector score'),
}

interface ImageConfig {
  readonly cropped_face_folder: string
  readonly template_media_list_path: string
  readonly image_score_list_path: string
  readonly use_detector_score: boolean
}

/** @throws FacexError ERR_DATA that lists every wrong line, and images that are missing */
export function openImages(config: ImageConfig, name: string): ListedTemplateImages {
  const { cropped_face_folder: root, template_media_list_path: media, image_score_list_path: scores } = config
  const images = readFields(media, /^(\S+)\s+(\d+)\s+(\d+)$/, '"image template medium"', ([image, template, medium], line) => ({ image: image!, template: Number(template), medium: Number(medium), line }))
  const scored = readFields(scores, /^(\S+)\s(?:.*\s)?([\d.eE+-]+)$/, '"image ... score"', ([image, score], line) => ({ image: image!, score: Number(score), line }))
  const at = images.findIndex(({ image }, i) => scored[i]?.image !== image)
  if (at >= 0) {
    const found = scored[at] === undefined ? 'the end of the list' : `${scored[at].image}`
    throw new FacexError('ERR_DATA', `${name}: ${scores}:${scored[at]?.line ?? scored.length + 1}: expected ${images[at]!.image} as in ${media}:${images[at]!.line}, found ${found}`)
  }
  const files = images.map(({ image }) => path.resolve(root, image))
  const place = (image: number) => `${media}:${images[image]!.line}`
  requireImages(files, place)
  return {
    files,
    place,
    templates: images.map(({ template }) => template),
    media: images.map(({ medium }) => medium),
    ...(config.use_detector_score && { weights: scored.map(({ score }) => score) }),
  }
}

/**
 * A list of templates: comma-separated lines that begin with template and subject, several a template, below a line of
 * headings.
 * @throws FacexError ERR_DATA that lists every wrong line
 */
export function openTemplates(file: string): TemplateList {
  const subjects = new Map<number, number>()
  const problems: string[] = []
  readFields(file, /^(?:TEMPLATE_ID|(\d+))\s*,\s*(?:SUBJECT_ID|(\d+))\s*(?:,.*)?$/, '"template,subject,..."', ([template, subject], line) => {
    if (template === undefined) return
    const known = subjects.get(Number(template)) ?? Number(subject)
    if (known !== Number(subject)) problems.push(`${file}:${line}: template ${template} shows subject ${subject}, in an earlier line ${known}`)
    subjects.set(Number(template), Number(subject))
  })
  if (subjects.size === 0) problems.push(`${file}: the list has no template`)
  throwProblems('ERR_DATA', 'The list has mistakes:', problems)
  return { templates: [...subjects.keys()], subjects: [...subjects.values()] }
}

/**
 * What `make` makes of the pattern's groups in every line that is not blank.
 * @throws FacexError ERR_DATA that lists every line that does not fit the pattern
 */
export function readFields<T>(file: string, pattern: RegExp, expected: string, make: (groups: readonly (string | undefined)[], line: number) => T): T[] {
  const problems: string[] = []
  const rows = readPairText(file)
    .split(/\r?\n/)
    .flatMap((line, index) => {
      if (line.trim() === '') return []
      const match = pattern.exec(line.trim())
      if (match !== null) return [make(match.slice(1), index + 1)]
      problems.push(`${file}:${index + 1}: expected ${expected}, found ${JSON.stringify(line)}`)
      return []
    })
  throwProblems('ERR_DATA', 'The list has mistakes:', problems)
  return rows
}
