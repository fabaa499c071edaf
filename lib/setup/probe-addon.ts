/**
 * A program: `node probe-addon.js ADDON [LIBTORCH]` loads the addon and ends with 0, or says why it could not.
 * @module
 */
import { messageOf } from '../errors.js'
import { openAddon } from './open-addon.js'

try {
  const [, , file, libtorch] = process.argv
  const { info } = openAddon(file!, libtorch) as { info(): unknown }
  info()
} catch (error) {
  process.stderr.write(messageOf(error))
  process.exitCode = 1
}
