/** Two machines of one: network namespaces with a cable between them. @module */
import { spawnSync } from 'node:child_process'

export interface Networks {
  /** The command that runs something as machine `rank`. */
  readonly within: (rank: number) => readonly string[]
  /** Of machine 0. */
  readonly address: string
  /** Network device that leads to the other machine. */
  readonly device: string
  /** Pulls the cable. */
  readonly cut: () => void
}

/** Calls `body` with two machines; returns why that is not possible here. */
export async function withNetworks(body: (networks: Networks) => Promise<void>): Promise<string | undefined> {
  const names = [0, 1].map((rank) => `facex-${process.pid}-${rank}`)
  const [address, other, device] = ['10.77.0.1', '10.77.0.2', 'cable']
  const ip = (...argv: string[]) => spawnSync('ip', argv, { encoding: 'utf8' })
  const steps = [
    ...names.map((name) => ['netns', 'add', name]),
    ['-n', names[0]!, 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', names[1]!],
    ...[address, other].flatMap((own, rank) => [
      ['-n', names[rank]!, 'addr', 'add', `${own}/24`, 'dev', device],
      ['-n', names[rank]!, 'link', 'set', device, 'up'],
      ['-n', names[rank]!, 'link', 'set', 'lo', 'up'],
    ]),
  ]
  try {
    for (const step of steps) {
      const { status, error, stderr } = ip(...step)
      if (status !== 0) return `no network namespaces can be made: ${error?.message ?? stderr.trim()}`
    }
    await body({ within: (rank) => ['ip', 'netns', 'exec', names[rank]!], address, device, cut: () => void ip('-n', names[1]!, 'link', 'set', device, 'down') })
    return undefined
  } finally {
    for (const name of names) ip('netns', 'del', name)
  }
}
