/**
 * `facex bench backbones`: one process after the other, so that each peak of memory is that backbone's own and one that
 * does not fit into memory leaves the others alone.
 * @module
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { readConf, type ConfEntry } from '../../backbones/conf.js'
import { buildBackbone } from '../../backbones/index.js'
import { messageOf } from '../../errors.js'
import { packageRoot } from '../../setup/places.js'

/** What is measured of one backbone. */
export interface Measured {
  readonly backbone: string
  readonly batch_size: number
  readonly precision: string
  /** From the median of the steps after the first. */
  readonly images_per_second: number
  /** Steps that were timed. */
  readonly steps: number
  /** Largest resident size of the process, or what libtorch held of the GPU's memory. */
  readonly peak_bytes: number
  /** From the configuration to the graph. */
  readonly graph_ms: number
  /** From the configuration to the end of the first step. */
  readonly first_step_ms: number
}

interface Failed {
  readonly backbone: string
  readonly error: string
}

/**
 * Measures every network of a backbone_conf.yaml and prints its row as soon as it is known.
 * @param options what every child is given
 * @returns exit status: 1 where a backbone could not be measured
 */
export async function benchTable(file: string | undefined, options: readonly string[], json: boolean): Promise<number> {
  const results: (Measured | Failed)[] = []
  if (!json) process.stdout.write(HEAD)
  for (const { name, also } of networks(readConf(file))) {
    const result = await measure(name, file === undefined ? options : [...options, '--backbone_conf_file', file])
    const title = [name, ...also].join(' = ')
    results.push({ ...result, backbone: title })
    if ('error' in result) process.stderr.write(`${title}: ${result.error}\n`)
    if (!json) process.stdout.write('error' in result ? `| ${title} | failed |\n` : row({ ...result, backbone: title }))
    else process.stderr.write(`${title}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
  return results.some((result) => 'error' in result) ? 1 : 0
}

/** Entries that describe the same network are measured once, under the first name. */
function networks(entries: readonly ConfEntry[]): Iterable<{ name: string; also: string[] }> {
  const groups = new Map<string, { name: string; also: string[] }>()
  for (const { name, type, config } of entries) {
    const key = JSON.stringify([type, buildBackbone(type, config).config])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { name, also: [] })
    else group.also.push(name)
  }
  return groups.values()
}

async function measure(name: string, options: readonly string[]): Promise<Measured | Failed> {
  const command = [`${packageRoot()}/bin/facex.mjs`, 'bench', '--backbone', name, '--json', ...options]
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command)
    return JSON.parse(stdout) as Measured
  } catch (error) {
    const { signal, stderr } = error as { signal?: string; stderr?: string }
    if (signal === 'SIGKILL') return { backbone: name, error: 'the process was killed, most likely for want of memory' }
    return { backbone: name, error: stderr?.trim() || messageOf(error) }
  }
}

export const HEAD = '| backbone | batch | precision | training images/s | steps | peak memory GB | graph ms | start to first step s |\n|---|---|---|---|---|---|---|---|\n'

export function row({ backbone, batch_size, precision, images_per_second, steps, peak_bytes, graph_ms, first_step_ms }: Measured): string {
  const cells = [backbone, batch_size, precision, images_per_second.toFixed(1), steps, (peak_bytes / 1e9).toFixed(2), graph_ms.toFixed(0), (first_step_ms / 1000).toFixed(2)]
  return `| ${cells.join(' | ')} |\n`
}
