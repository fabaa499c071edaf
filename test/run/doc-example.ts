/**
 * The programs of README and docs, as files: what readers copy is what the tests run.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { packageRoot } from '../../lib/setup/places.js'

/**
 * Writes the JavaScript block of `document` that begins with the comment `// name`. The folder must lie inside the
 * package, so that `facex` means this checkout.
 * @returns the file
 */
export function writeExample(folder: string, document: string, name: string, change = (code: string) => code): string {
  const blocks = readFileSync(path.join(packageRoot(), document), 'utf8').matchAll(/```js\n([^]*?)```/g)
  const code = [...blocks].map(([, block]) => block!).find((block) => block.startsWith(`// ${name}\n`))
  if (code === undefined) throw new Error(`${document} has no example that begins with "// ${name}"`)
  const file = path.join(folder, name)
  writeFileSync(file, change(code))
  return file
}
