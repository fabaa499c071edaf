/**
 * The data that tests share: photographs, small face sets, golden values. It lies beside the repository.
 * @module
 */
import { existsSync } from 'node:fs'
import path from 'node:path'

import { packageRoot } from '../lib/setup/places.js'

/** Path of shared test data, or undefined (skip the test, saying why) when this machine does not have it. */
export function sharedPath(...parts: string[]): string | undefined {
  const root = process.env['FACEX_SHARED'] ?? path.join(packageRoot(), '..', 'shared')
  const file = path.join(root, ...parts)
  return existsSync(file) ? file : undefined
}
