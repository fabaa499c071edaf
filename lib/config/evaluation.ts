/**
 * Configuration of the evaluation during training.
 * @module
 */
import { z } from 'zod'

import { object } from './check.js'

/** Pair lists, the usual kind, need no protocol's name. */
export const PAIR_LIST = 'pairs'

/** The files of a protocol are checked where it is opened, with the same wording and line numbers. */
const testSet = z
  .looseObject({
    name: z.string().min(1).optional().describe('name in logs and metrics; that of the protocol when left out'),
    protocol: z.string().min(1).default(PAIR_LIST).describe('a protocol of facex evaluate, or an entry of data_conf; a pair list when left out'),
    data_conf: z.string().min(1).optional().describe('data_conf.yaml with the files of the protocol; without it they stand here, under the same keys'),
    root: z.string().min(1).optional().describe('folder that the paths in the pair list start from'),
    pairs: z.string().min(1).optional().describe('pair list: "path path 0/1" lines, or LFW\'s format'),
  })
  .describe('a pair list (name, root, pairs), or a protocol with its files')

export const evaluationSchema = object({
  every: z.int().min(1).default(1).describe('epochs between evaluations; the last epoch is always evaluated'),
  sets: z.array(testSet).default([]).describe('test sets: pair lists and protocols'),
  best: z.string().optional().describe('name of the set whose figure chooses the best checkpoint; the first one when left out'),
  rule: z.enum(['facex_zoo', 'insightface']).default('insightface').describe('how the threshold is chosen and whether mirrored images take part'),
  folds: z.int().min(2).optional().describe('folds of lists that do not say how many they have'),
  batch_size: z.int().min(1).default(64).describe('images in one inference batch'),
})

export type TestSetConfig = z.output<typeof testSet>

/** All that a pair list may say. */
export const pairListSchema = object({
  name: z.string().min(1),
  protocol: z.literal(PAIR_LIST),
  root: z.string().min(1),
  pairs: z.string().min(1),
})

/** Whether a set is a pair list and no other protocol. */
export function isPairList({ protocol, data_conf }: TestSetConfig): boolean {
  return protocol === PAIR_LIST && data_conf === undefined
}

/** What a set is called in logs and metrics. */
export function setName({ name, protocol }: TestSetConfig): string {
  return name ?? protocol
}

/** Paths of a set are relative to the current folder: every text that is no name is one, as in data_conf.yaml. */
export function absoluteSet(set: TestSetConfig, absolute: (file: string) => string): TestSetConfig {
  const resolved = (value: unknown): unknown => (typeof value === 'string' ? absolute(value) : Array.isArray(value) ? value.map(resolved) : value)
  const { name, protocol, ...files } = set
  return { ...(name !== undefined && { name }), protocol, ...Object.fromEntries(Object.entries(files).map(([key, value]) => [key, resolved(value)])) }
}
