/** SLURM's short form of many host names: `gpu[003-010,20],login1`. @module */

/** The first host of a list: `gpu003`. */
export function firstHost(list: string): string {
  const [first] = /^[^,[]*(\[[^\]]*\][^,[]*)*/.exec(list.trim())!
  return first.replaceAll(/\[([^\]]*)\]/g, (_, ranges: string) => /^[^,-]*/.exec(ranges)![0])
}
