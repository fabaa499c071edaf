/**
 * IJB-B and IJB-C, 1:1 between templates and 1:N in two galleries.
 * @module
 */
import { z } from 'zod'

import { object } from '../../config/check.js'
import { identifyTemplates } from '../template-identification.js'
import { verifyTemplates } from '../template-verification.js'
import { imageKeys, openImages, openTemplates } from './ijb-lists.js'
import { defineProtocol, type Protocol } from './protocol.js'
import { openTemplatePairs } from './template-pairs.js'

const pairSchema = object({ ...imageKeys, template_pair_list_path: z.string().min(1).describe('"template template 0/1" lines') })

const searchSchema = object({
  ...imageKeys,
  gallery_list_paths: z.tuple([z.string().min(1), z.string().min(1)]).describe('both galleries: ijbc_1N_gallery_G1.csv and _G2.csv'),
  probe_list_path: z.string().min(1).describe('the probes: ijbc_1N_probe_mixed.csv'),
})

function verification(name: string, set: string): Protocol {
  return defineProtocol({
    name,
    summary: `${set} 1:1: templates of images and videos, TAR at FAR`,
    schema: pairSchema,
    options: ['fars'],
    create(config, entry) {
      const set = { name: entry, ...openImages(config, entry), ...openTemplatePairs(config.template_pair_list_path) }
      return { run: async (embedder, options) => ({ kind: 'templates', ...(await verifyTemplates(embedder, set, options)) }) }
    },
  })
}

function identification(name: string, set: string): Protocol {
  return defineProtocol({
    name,
    summary: `${set} 1:N: two galleries, TPIR at FPIR and ranks, means of both`,
    schema: searchSchema,
    options: ['fars'],
    create(config, entry) {
      const [first, second] = config.gallery_list_paths
      const set = { name: entry, ...openImages(config, entry), galleries: [openTemplates(first), openTemplates(second)] as const, probes: openTemplates(config.probe_list_path) }
      return { run: async (embedder, options) => ({ kind: 'template-identification', ...(await identifyTemplates(embedder, set, options)) }) }
    },
  })
}

export const ijbProtocols: readonly Protocol[] = [
  verification('IJBB', 'IJB-B'),
  verification('IJBC', 'IJB-C'),
  identification('IJBB_1N', 'IJB-B'),
  identification('IJBC_1N', 'IJB-C'),
]
