/** Whether the processes of a run train the same thing; found out before the first step. @module */
import { createHash } from 'node:crypto'

import { FacexError } from '../errors.js'
import { addon } from '../native.js'
import { packageVersion } from '../setup/places.js'
import { differencesBetweenRanks } from './config-difference.js'
import type { PreparedRun } from './prepare.js'

interface Identity {
  readonly versions: string
  readonly config: Record<string, unknown>
  readonly data: string
  readonly network: string
  readonly device: string
}

/** @throws FacexError ERR_DISTRIBUTED on every rank, naming the ranks that differ from rank 0 and in what */
export async function agreeOnRun(run: PreparedRun): Promise<void> {
  if (run.peers.size === 1) return
  const [lead, ...others] = (await run.peers.exchange(JSON.stringify(identityOf(run)))).map((text) => JSON.parse(text) as Identity)
  refuse(others.flatMap((other, i) => differences(lead!, other).map((difference) => `rank ${i + 1}: ${difference}`)))
}

/**
 * Every rank has read files of its own for the networks' weights: those that learn, teachers and copies.
 * @throws FacexError ERR_DISTRIBUTED on every rank, naming the ranks and networks that differ from those of rank 0
 */
export async function agreeOnWeights({ peers, plan, trainer }: Pick<PreparedRun, 'peers' | 'plan' | 'trainer'>): Promise<void> {
  if (peers.size === 1) return
  const names = Object.keys(plan.networks)
  const own = names.map((name) => digest(...trainer.network(name).state().map(({ data }) => new Uint8Array(data))))
  const [lead, ...others] = (await peers.exchange(JSON.stringify(own))).map((text) => JSON.parse(text) as string[])
  const differing = (other: readonly string[]) => names.filter((_, i) => other[i] !== lead![i])
  refuse(others.flatMap((other, i) => differing(other).map((name) => `rank ${i + 1}: weights of the network "${name}" (are the files they come from the same?)`)))
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return
  const shown = problems.slice(0, 8).map((line) => `  ${line}`)
  throw new FacexError('ERR_DISTRIBUTED', ['The processes of the run do not train the same thing (rank 0 against the others):', ...shown].join('\n'), { problems })
}

function identityOf({ config, dataset, device, plan }: PreparedRun): Identity {
  const labels = Buffer.from(dataset.labels.buffer, dataset.labels.byteOffset, dataset.labels.byteLength)
  return {
    versions: `facex ${packageVersion()}, libtorch ${addon().info().libtorch}`,
    config: config as Record<string, unknown>,
    data: `${dataset.size} images of ${dataset.classCount} identities, digest ${digest(dataset.classMapHash, labels)}`,
    device,
    network: digest(JSON.stringify([plan.networks, plan.heads, plan.program])),
  }
}

function differences(lead: Identity, other: Identity): string[] {
  return [
    ...(lead.versions === other.versions ? [] : [`versions: ${lead.versions} against ${other.versions}`]),
    ...differencesBetweenRanks(lead.config, other.config).map((line) => `configuration ${line}`),
    ...(lead.device === other.device ? [] : [`device: ${lead.device} against ${other.device}`]),
    ...(lead.data === other.data ? [] : [`training data: ${lead.data} against ${other.data}`]),
    ...(lead.network === other.network ? [] : ['network, head or step differ (are the extensions the same?)']),
  ]
}

function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  parts.forEach((part) => hash.update(part))
  return hash.digest('hex').slice(0, 16)
}
