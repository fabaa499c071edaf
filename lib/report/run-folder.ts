/**
 * The reports that every run folder gets.
 * @module
 */
import path from 'node:path'

import type { RunListener } from '../training/events.js'
import { evaluationListener } from './evaluations/listener.js'
import { logFileListener } from './log-file.js'
import { metricsListener } from './metrics.js'
import { tensorboardListener } from './tensorboard.js'

export interface ReportPlaces {
  /** Folder of `train.log` and `metrics.jsonl`. */
  readonly folder: string
  /** Folder of the event files; left out: none are written. */
  readonly tensorboard?: string
}

export function folderListeners(places: ReportPlaces): RunListener[] {
  const listeners = [logFileListener(path.join(places.folder, 'train.log')), metricsListener(path.join(places.folder, 'metrics.jsonl')), evaluationListener(places.folder)]
  return places.tensorboard === undefined ? listeners : [...listeners, tensorboardListener(places.tensorboard)]
}
