/**
 * `facex doctor`: what facex runs on and where each part was looked for.
 * @module
 */
import { messageOf } from '../errors.js'
import { addon, addonPlaces } from '../native.js'

export const usage = `Usage: facex doctor [--json]
`

export async function run(argv: string[]): Promise<number> {
  let info: unknown
  let problem: string | undefined
  try {
    info = addon().info()
  } catch (error) {
    problem = messageOf(error)
  }
  process.stdout.write(`${JSON.stringify({ node: process.version, places: addonPlaces(), info, problem, argv }, null, 2)}\n`)
  return problem === undefined ? 0 : 1
}
