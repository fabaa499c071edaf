/** Runs command lines one after the other in one process, each answer behind a line of its own: loading takes longer than most of them. */
import { main } from '../../lib/cli.js'

for (const argv of JSON.parse(process.argv[2]!) as string[][]) {
  const status = await main(argv)
  process.stdout.write(`\n\u0000${status}\n`)
}
