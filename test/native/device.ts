/** The device that tests of the engine compute on: FACEX_TEST_DEVICE, as `npm run test:cuda` sets it, else the CPU. @module */
import { addon, type NativeDevice } from '../../lib/native.js'

const named = process.env['FACEX_TEST_DEVICE'] ?? 'cpu'
if (named !== 'cpu' && named !== 'cuda') throw new RangeError(`FACEX_TEST_DEVICE: expected cpu or cuda, got ${named}`)
if (named === 'cuda') addon().allowTf32(false) // golden values are of float32

export const DEVICE: NativeDevice = named
