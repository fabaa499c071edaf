/**
 * Protocols of image pairs: LFW and its relatives, RFW, CFP, insightface's .bin files, any list of pairs.
 * @module
 */
import { z } from 'zod'

import { object } from '../../config/check.js'
import { openAgeDbPairs } from '../../data/agedb-pairs.js'
import { openCfpPairs } from '../../data/cfp-pairs.js'
import { openTwoLinePairs } from '../../data/two-line-pairs.js'
import { openBinSet } from '../bin-set.js'
import { evaluatePairs } from '../evaluate.js'
import { locatePairs, openPairSet, type ImagePairs, type PairSet } from '../pair-set.js'
import { defineProtocol, type OpenProtocol, type Protocol, type ProtocolOption } from './protocol.js'

const listFiles = object({
  pairs_file_path: z.string().min(1).describe('pair list'),
  cropped_face_folder: z.string().min(1).describe('folder of aligned faces that the paths of the list start from'),
  image_list_file_path: z.string().optional().describe("FaceX-Zoo's list of images; not needed, the pair list names them"),
})
type ListFiles = z.infer<typeof listFiles>

/** What every protocol of pairs takes. */
const options: readonly ProtocolOption[] = ['rule', 'folds', 'fars']

function verification(set: ImagePairs): Pick<OpenProtocol, 'pairs' | 'run'> {
  return { pairs: set, run: async (embedder, given) => ({ kind: 'verification', set, ...(await evaluatePairs(embedder, set, given)) }) }
}

function listProtocol(name: string, summary: string, open: (config: ListFiles, name: string) => PairSet): Protocol {
  return defineProtocol({ name, summary, schema: listFiles, options, create: (config, entry) => verification(open(config, entry)) })
}

const plain = ({ pairs_file_path: pairs, cropped_face_folder: root }: ListFiles, name: string) => openPairSet({ name, pairs, root })
const headless = ({ pairs_file_path: pairs, cropped_face_folder: root }: ListFiles, name: string) => openPairSet({ name, pairs, root, format: 'lfw' })
const twoLines = ({ pairs_file_path: pairs, cropped_face_folder: root }: ListFiles, name: string) => locatePairs(openTwoLinePairs(pairs), { name, pairs, root })

const ageDb = (config: ListFiles, name: string) => {
  const { pairs_file_path: pairs, cropped_face_folder: root } = config
  return /\.mat$/i.test(pairs) ? locatePairs(openAgeDbPairs(pairs), { name, pairs, root }) : plain(config, name)
}

function cfp(comparison: 'FF' | 'FP', summary: string): Protocol {
  return defineProtocol({
    name: `CFP_${comparison}`,
    summary,
    options,
    schema: object({
      protocol_folder: z.string().min(1).describe('folder with Pair_list_F.txt, Pair_list_P.txt and Split'),
      cropped_face_folder: z.string().min(1).describe('folder of aligned faces, 001/frontal/01.jpg inside'),
    }),
    create: ({ protocol_folder: folder, cropped_face_folder: root }, name) => verification(locatePairs(openCfpPairs(folder, comparison), { name, pairs: folder, root })),
  })
}

export const pairProtocols: readonly Protocol[] = [
  listProtocol('LFW', "faces in the wild: LFW's pairs.txt", plain),
  listProtocol('CPLFW', 'LFW with large differences in pose: pairs_CPLFW.txt', twoLines),
  listProtocol('CALFW', 'LFW with large differences in age: pairs_CALFW.txt', twoLines),
  listProtocol('AgeDB30', 'pairs 30 years apart: the official .mat, or a "path path 0/1" list', ageDb),
  ...['African', 'Asian', 'Caucasian', 'Indian'].map((race) => listProtocol(`RFW_${race}`, `racial faces in the wild: ${race}_pairs.txt`, headless)),
  cfp('FF', 'celebrities, frontal with frontal'),
  cfp('FP', 'celebrities, frontal with profile'),
  listProtocol('pairs', 'any pair list: "path path 0/1" lines, or LFW\'s format', plain),
  defineProtocol({
    name: 'bin',
    summary: "insightface's verification sets (lfw.bin, cfp_fp.bin, agedb_30.bin)",
    options,
    schema: object({ file: z.string().min(1).describe('the .bin file') }),
    create: ({ file }, name) => verification(openBinSet(file, name)),
  }),
]
