/**
 * What a person watching sees: a progress bar for the epoch on a terminal, plain lines anywhere else. Goes to stderr;
 * stdout belongs to data.
 * @module
 */
import type { WriteStream } from 'node:tty'

import cliProgress from 'cli-progress'

import type { Message, RunListener } from '../training/events.js'
import { lineListener } from './line-listener.js'
import { duration, loss, rate, speed } from './wording.js'

type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY'>>

/** Chooses by the stream: a bar needs a terminal that moves its cursor. */
export function progressListener(stream: Output = process.stderr, environment = process.env): RunListener {
  const listener = linesOrBar(stream, environment)
  // Why a run failed is said by whoever catches its error.
  return { ...listener, onEnd: ({ error: _error, ...end }) => listener.onEnd?.(end) }
}

function linesOrBar(stream: Output, environment: NodeJS.ProcessEnv): RunListener {
  const terminal = stream.isTTY === true && environment['TERM'] !== 'dumb'
  if (!terminal) return lineListener((line) => stream.write(`${line}\n`))
  return barListener(stream as WriteStream, environment['NO_COLOR'] === undefined || environment['NO_COLOR'] === '')
}

function barListener(stream: WriteStream, color: boolean): RunListener {
  const bar = new cliProgress.SingleBar({
    stream,
    format: 'epoch {epoch} {bar} {percentage}%  loss {loss}  lr {lr}  {speed} images/s  {left} left',
    barCompleteChar: '\u2588',
    barIncompleteChar: '\u2591',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
  })
  let stepsPerEpoch = 1
  let shown = false
  const hide = () => {
    if (shown) bar.stop()
    shown = false
  }
  const lines = lineListener((line, level) => {
    hide()
    stream.write(`${color ? tinted(line, level) : line}\n`)
  })
  return {
    ...lines,
    onStart(plan) {
      stepsPerEpoch = plan.stepsPerEpoch
      lines.onStart?.(plan)
    },
    onProgress(report) {
      const done = report.step - (report.epoch - 1) * stepsPerEpoch
      const fields = {
        epoch: `${report.epoch}/${report.epochs}`,
        loss: loss(report.loss),
        lr: rate(report.lr),
        speed: speed(report.imagesPerSecond),
        left: duration(report.etaSeconds),
      }
      if (shown) bar.update(done, fields)
      else bar.start(stepsPerEpoch, done, fields)
      shown = true
    },
    onStep: undefined,
  }
}

function tinted(line: string, level: Message['level']): string {
  return level === 'warning' ? `\u001b[33m${line}\u001b[39m` : line
}
