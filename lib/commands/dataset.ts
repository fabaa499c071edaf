/**
 * `facex dataset`: look at data sets and turn them into others.
 * @module
 */
import { MASK_STYLES } from '../data/mask/styles/index.js'
import { FacexError, unknownName } from '../errors.js'
import { checkOptions, OPTIONS, type Action } from './dataset/action.js'
import { clean } from './dataset/clean.js'
import { mask } from './dataset/mask.js'
import { pack, unpack } from './dataset/pack.js'
import { preview } from './dataset/preview.js'
import { inspect, verify } from './dataset/report.js'
import { split } from './dataset/split.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex dataset inspect SOURCE...                      counts, sizes, images per identity
       facex dataset verify  SOURCE...                      decode every image
       facex dataset preview SOURCE... --out SHEET.png      samples as they are and as training sees them
       facex dataset pack    SOURCE... --out TRAIN.rec      RecordIO with index, as insightface's sets
       facex dataset unpack  SOURCE... --out DIR            files in class folders, and train.txt
       facex dataset merge   SOURCE... --out TRAIN.rec      several sources behind each other (the same as pack)
       facex dataset split   SOURCE --out PREFIX            PREFIX.chosen.txt and PREFIX.rest.txt
       facex dataset clean   SOURCE --out LIST              the list without unreadable files and duplicates
       facex dataset mask    SOURCE... --out DIR            faces with and without masks, and train.txt

SOURCE is a list ("path label" lines), a folder of class folders, or a .rec file.

--root DIR         folder that the paths of a list start from; the list's own folder by default
--threads N        inspect, verify, clean and mask: threads that read images; all cores by default
--png FILE         inspect and verify: images per identity as a picture
--augment NAMES    preview: flip (default), none, facex_zoo, or augmentations such as blur,erase, always applied
--rows N           preview: identities shown, 8 by default
--size N           preview: side of an image in pixels, 112 by default
--fraction F       split: this share of the identities is chosen
--per_identity K   split: K images of each identity are chosen; identities with fewer are left out
--distance N       clean: bits of 256 in which pictures taken for the same may differ, 16 by default
--delete           clean: also deletes the files that are left out
--landmarks FILE   mask: a line "path x y x y ..." for each image, 5, 68 or 106 points
--detector FILE    mask: finds the landmarks by YuNet or SCRFD; without both, faces are taken as aligned and seen from the front
--style NAMES      mask: one or more of ${MASK_STYLES.map((style) => style.name).join(', ')}, separated by commas; all by default
--texture FILE     mask: a picture as the cloth instead of a style
--only             mask: masked faces alone, under the names of the originals; a list needs no labels then
--seed N           split, preview and mask: 0 by default
--json             what was found or written, for machines
`

const ACTIONS: Readonly<Record<string, Action>> = { inspect, verify, preview, pack, merge: pack, unpack, split, mask, clean }

export async function run(argv: string[]): Promise<number> {
  const [name, ...rest] = argv
  const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (action === undefined) {
    const text = name === undefined ? 'expected an action' : unknownName('action', name, Object.keys(ACTIONS))
    throw new FacexError('ERR_USAGE', `${text}\n\n${usage}`)
  }
  const { values, positionals } = parseOptions(rest, OPTIONS, rest.filter((argument) => !argument.startsWith('--')))
  if (positionals.length === 0) throw new FacexError('ERR_USAGE', `expected a list, a folder or a .rec file\n\n${usage}`)
  checkOptions(name!, action, values)
  return action.run(positionals, values)
}
