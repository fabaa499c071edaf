/**
 * The pieces of HTML that sections of a page share.
 * @module
 */
import type { Chart } from '../charts/draw.js'

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** A table that scrolls by itself where the window is narrow; the first column names the rows. */
export function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const headRow = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')
  const body = rows.map(([first = '', ...rest]) => `<tr><th scope="row">${escaped(first)}</th>${rest.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(caption)}"><table><caption>${escaped(caption)}</caption><thead><tr>${headRow}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

export function charts(drawn: readonly Chart[]): string {
  if (drawn.length === 0) return ''
  return `<div class="charts">${drawn.map(({ title, svg }) => `<figure class="chart"><figcaption>${escaped(title)}</figcaption>${svg}</figure>`).join('\n')}</div>`
}
