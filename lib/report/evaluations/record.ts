/**
 * What an evaluation leaves in a run folder, and how reports read it back:
 *
 * ```
 * evaluations/lfw/
 *   result.json                  every figure; weights or step; the hardest pairs
 *   genuine.npy, impostor.npy    float32 cosines of the pairs of one person and of two, in list order
 *   hardest/impostors-1.jpg ...  two people taken for one; genuine-1.jpg ... one person not known again
 * ```
 * A later evaluation of the same name takes the place of an earlier one.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { z } from 'zod'

import { npyHeader, replaceFile } from '../../evaluation/npy.js'
import { readNpy } from '../../evaluation/npy-reader.js'
import type { ProtocolResult } from '../../evaluation/protocols/protocol.js'
import type { ScoredPairs } from '../../evaluation/scores.js'
import { FacexError, messageOf } from '../../errors.js'
import { hardestPictures, type PairPicture } from './pictures.js'

/** Which model the figures are of. */
export interface EvaluatedModel {
  readonly weights?: readonly string[]
  /** Optimizer steps behind it, and epoch, where a run evaluated itself. */
  readonly step?: number
  readonly epoch?: number
}

export interface StoredEvaluation {
  readonly name: string
  /** Content of result.json. */
  readonly figures: Readonly<Record<string, unknown>>
  /** Undefined for protocols without pairs. */
  readonly scores: ScoredPairs | undefined
  readonly hardest: readonly PairPicture[]
}

const FOLDER = 'evaluations'

/** The figures of a result alone, as JSON shows them. */
export function figuresOf(result: ProtocolResult): Record<string, unknown> {
  return { ...result, scores: undefined, genuine: undefined, set: undefined }
}

/**
 * @param run the run folder
 * @returns the folder of the record
 * @throws FacexError ERR_DATA when it cannot be written
 */
export async function writeEvaluation(run: string, result: ProtocolResult, model: EvaluatedModel): Promise<string> {
  const folder = path.join(run, FOLDER, folderName(result.name))
  const hardest = result.kind === 'verification' ? await hardestPictures(result.set, result) : []
  try {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(path.join(folder, 'hardest'), { recursive: true })
    if ('scores' in result) {
      for (const [file, kind] of SCORE_FILES) writeScores(path.join(folder, file), result.scores.filter((_, pair) => result.genuine[pair] === kind))
    }
    const named = hardest.map(({ picture, ...pair }, i) => {
      const place = hardest.slice(0, i).filter(({ kind }) => kind === pair.kind).length + 1
      const file = `hardest/${pair.kind}-${place}.jpg`
      writeFileSync(path.join(folder, file), picture)
      return { ...pair, picture: file }
    })
    const content = { ...figuresOf(result), ...model, time: new Date().toISOString(), hardest: named }
    replaceFile(path.join(folder, 'result.json'), Buffer.from(`${JSON.stringify(content, null, 2)}\n`))
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${folder}: the evaluation cannot be written: ${messageOf(cause)}`, { cause })
  }
  return folder
}

const SCORE_FILES = [['genuine.npy', 1], ['impostor.npy', 0]] as const

function writeScores(file: string, scores: Float64Array): void {
  replaceFile(file, Buffer.concat([npyHeader(scores.length), Buffer.from(Float32Array.from(scores).buffer)]))
}

/** Names come from lists and configurations: anything else than letters, digits and a few marks becomes a dash. */
function folderName(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_.@-]/gu, '-').replace(/^\.+/, '-')
}

const stored = z.looseObject({
  name: z.string(),
  kind: z.string(),
  hardest: z.array(z.object({ kind: z.enum(['impostors', 'genuine']), names: z.tuple([z.string(), z.string()]), score: z.number(), picture: z.string() })).default([]),
})

/**
 * The evaluations of a run folder, in order of their names.
 * @throws FacexError ERR_DATA for a record that is damaged
 */
export async function readEvaluations(run: string): Promise<StoredEvaluation[]> {
  const root = path.join(run, FOLDER)
  if (!existsSync(root)) return []
  const folders = readdirSync(root).sort().map((name) => path.join(root, name)).filter((folder) => existsSync(path.join(folder, 'result.json')))
  const records: StoredEvaluation[] = []
  for (const folder of folders) records.push(await readRecord(folder))
  return records
}

async function readRecord(folder: string): Promise<StoredEvaluation> {
  const file = path.join(folder, 'result.json')
  try {
    const { hardest, ...figures } = stored.parse(JSON.parse(readFileSync(file, 'utf8')))
    return {
      name: figures.name,
      figures,
      scores: await readScores(folder),
      hardest: hardest.map((pair) => ({ ...pair, picture: readFileSync(path.join(folder, pair.picture)) })),
    }
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the record of an evaluation is damaged (evaluate again): ${messageOf(cause)}`, { cause })
  }
}

async function readScores(folder: string): Promise<ScoredPairs | undefined> {
  if (!existsSync(path.join(folder, SCORE_FILES[0][0]))) return undefined
  const [genuine, impostor] = await Promise.all(SCORE_FILES.map(([file]) => readNpy(path.join(folder, file))))
  const scores = new Float64Array(genuine!.count + impostor!.count)
  scores.set(genuine!.data)
  scores.set(impostor!.data, genuine!.count)
  return { scores, genuine: Uint8Array.from(scores, (_, pair) => Number(pair < genuine!.count)) }
}
