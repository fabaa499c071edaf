/**
 * The events of a run in words, one line each.
 * @module
 */
import type { EpochReport, EvaluationReport, RunPlan, StepReport } from '../training/events.js'
import { count, duration, loss, magnitude, percent, rate, speed } from './wording.js'

export function startLines(plan: RunPlan): string[] {
  const lines = [
    `${plan.backbone} (${magnitude(plan.parameters)} parameters, ${magnitude(plan.macs)} multiply-adds an image) with ${plan.head}, mode ${plan.mode}, ${plan.device}, ${plan.precision}`,
    `${count(plan.samples)} images of ${count(plan.classes)} identities, batch ${plan.batchSize}, ${count(plan.stepsPerEpoch)} steps an epoch, ${plan.epochs} epochs`,
  ]
  if (plan.resumedFrom !== undefined) lines.push(`goes on after step ${count(plan.step)} from ${plan.resumedFrom}`)
  return lines
}

export function stepLine(report: StepReport): string {
  return [
    `epoch ${report.epoch}/${report.epochs}`,
    `step ${report.step}/${report.steps}`,
    `loss ${loss(report.loss)}`,
    `lr ${rate(report.lr)}`,
    `${speed(report.imagesPerSecond)} images/s`,
    ...(report.waitShare >= 0.05 ? [`waited ${percent(report.waitShare, 0)} for data`] : []),
    `${duration(report.etaSeconds)} left`,
  ].join('  ')
}

export function epochLine(report: EpochReport): string {
  const bad = report.badImages === 0 ? '' : `, ${count(report.badImages)} bad ${report.badImages === 1 ? 'image' : 'images'} replaced`
  return `epoch ${report.epoch}/${report.epochs} done: loss ${loss(report.loss)}, ${speed(report.imagesPerSecond)} images/s, ${duration(report.seconds)}${bad}`
}

export function evaluationLine(report: EvaluationReport): string {
  const mark = report.best ? ', best so far' : ''
  const { name, figure, value, std, pairs, folds, rule } = report
  const details = std === undefined ? '' : ` +- ${percent(std)} (${count(pairs!)} pairs, ${folds} folds, rule ${rule})`
  return `${name}: ${figure} ${percent(value)}${details}${mark}`
}
