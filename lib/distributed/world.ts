/**
 * Which of how many processes this one is, as the launcher's environment tells: torchrun's variables (which
 * `facex launch` sets too), or those of SLURM's srun.
 * @module
 */
import { FacexError } from '../errors.js'
import { firstHost } from './host-list.js'

export interface World {
  readonly rank: number
  readonly size: number
  /** Place among the processes of this machine, and how many those are. */
  readonly localRank: number
  readonly localSize: number
  /** Name or address, and port, where rank 0 can be reached. */
  readonly master: string
  readonly port: number
  /** Whether rank 0 serves the store; a launcher may. */
  readonly serves: boolean
  /** Tells restarts apart. */
  readonly attempt: string
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_PORT = 29500

/**
 * Undefined when this process trains alone.
 * @throws FacexError ERR_USAGE for variables that are incomplete or make no sense
 */
export function worldOf(environment: Environment): World | undefined {
  if (filled(environment['WORLD_SIZE']) || filled(environment['RANK'])) return torchrun(environment)
  // A batch script has SLURM's variables without being a task: only srun sets a step.
  if (filled(environment['SLURM_STEP_ID']) && Number(environment['SLURM_NTASKS'] ?? 1) > 1) return slurm(environment)
  return undefined
}

/**
 * What CUDA_VISIBLE_DEVICES must be for a process to see one GPU, that of its place on the machine; undefined to leave it
 * as it is, because the launcher has already given each process its own, or there are too few.
 */
export function visibleGpus({ localRank }: Pick<World, 'localRank'>, environment: Environment): string | undefined {
  const visible = environment['CUDA_VISIBLE_DEVICES']
  if (!filled(visible)) return visible === undefined ? String(localRank) : undefined
  const gpus = visible.split(',')
  return gpus.length === 1 ? undefined : gpus[localRank]
}

function torchrun(environment: Environment): World | undefined {
  const size = whole(environment, 'WORLD_SIZE', 1)
  if (size === 1) return undefined
  const rank = whole(environment, 'RANK', 0)
  const master = environment['MASTER_ADDR']
  if (!filled(master)) throw new FacexError('ERR_USAGE', `MASTER_ADDR: expected the machine of rank 0 beside WORLD_SIZE ${size}, found nothing; \`facex launch\` sets all variables`)
  return checked({
    rank,
    size,
    localRank: filled(environment['LOCAL_RANK']) ? whole(environment, 'LOCAL_RANK', 0) : 0,
    localSize: filled(environment['LOCAL_WORLD_SIZE']) ? whole(environment, 'LOCAL_WORLD_SIZE', 1) : 1,
    master,
    port: filled(environment['MASTER_PORT']) ? whole(environment, 'MASTER_PORT', 1) : DEFAULT_PORT,
    serves: environment['TORCHELASTIC_USE_AGENT_STORE'] !== 'True',
    attempt: environment['TORCHELASTIC_RESTART_COUNT'] ?? '0',
  })
}

function slurm(environment: Environment): World {
  const nodes = environment['SLURM_STEP_NODELIST'] ?? environment['SLURM_JOB_NODELIST'] ?? environment['SLURM_NODELIST']
  const master = environment['MASTER_ADDR'] ?? (nodes === undefined ? undefined : firstHost(nodes))
  if (!filled(master)) throw new FacexError('ERR_USAGE', 'SLURM_JOB_NODELIST: expected the names of the nodes, found nothing; set MASTER_ADDR to the node of rank 0')
  const size = whole(environment, 'SLURM_NTASKS', 1)
  return checked({
    rank: whole(environment, 'SLURM_PROCID', 0),
    size,
    localRank: whole(environment, 'SLURM_LOCALID', 0),
    // "2(x3),1": tasks of each node. The first number is right wherever nodes are alike.
    localSize: Number.parseInt(environment['SLURM_STEP_TASKS_PER_NODE'] ?? environment['SLURM_TASKS_PER_NODE'] ?? '1', 10) || 1,
    master,
    // Jobs on one node must not meet at one port.
    port: filled(environment['MASTER_PORT']) ? whole(environment, 'MASTER_PORT', 1) : 20_000 + (Number(environment['SLURM_JOB_ID'] ?? 0) % 20_000),
    serves: true,
    attempt: environment['SLURM_RESTART_COUNT'] ?? '0',
  })
}

function checked(world: World): World {
  if (world.rank >= world.size) throw new FacexError('ERR_USAGE', `RANK: expected 0 to ${world.size - 1} (WORLD_SIZE ${world.size}), received ${world.rank}`)
  if (world.port > 65535) throw new FacexError('ERR_USAGE', `MASTER_PORT: expected 1 to 65535, received ${world.port}`)
  return world
}

function whole(environment: Environment, name: string, least: number): number {
  const text = environment[name]
  const value = Number(text)
  if (!filled(text) || !Number.isInteger(value) || value < least) {
    throw new FacexError('ERR_USAGE', `${name}: expected a whole number of at least ${least}, received ${text === undefined ? 'nothing' : `"${text}"`}`)
  }
  return value
}

function filled(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}
