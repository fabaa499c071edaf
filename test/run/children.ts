/**
 * Runs in processes of their own, and what they leave behind.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import type { RunConfigInput } from '../../lib/config/run.js'
import { CheckpointStore } from '../../lib/model/checkpoint-store.js'

const CHILD = fileURLToPath(new URL('train-child.js', import.meta.url))

/** Starts a child that trains or goes on with `config`; `firstStep` settles when it has reported one. */
export function startChild(config: RunConfigInput) {
  const file = `${config.out_dir}.json`
  writeFileSync(file, JSON.stringify(config))
  const child = spawn(process.execPath, [CHILD, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text))
  return { child, output, firstStep: Promise.race([once(child.stdout, 'data'), once(child, 'exit')]), exit: once(child, 'exit') as Promise<[number | null, string | null]> }
}

/** The tensors of a run's newest checkpoint as hexadecimal text by name. */
export async function finalTensors(config: RunConfigInput): Promise<{ step: number; counters: Readonly<Record<string, number>>; tensors: Record<string, string> }> {
  const store = new CheckpointStore(path.join(config.out_dir!, 'checkpoints'), { last: 1, best: false })
  const { meta, tensors } = (await store.newest())!.checkpoint
  return { step: meta.position.step, counters: meta.counters, tensors: Object.fromEntries(tensors.map(({ name, data }) => [name, Buffer.from(data).toString('hex')])) }
}
