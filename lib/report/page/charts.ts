/**
 * Line charts as SVG text, drawn by Apache ECharts without a browser.
 * @module
 */
import { LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface ChartOptions {
  readonly title: string
  readonly x: string
  /** How values of the vertical axis read. */
  readonly format?: (value: number) => string
  /** A dot at every point: for few of them. */
  readonly dots?: boolean
}

const SIZE = { width: 560, height: 340 }
const COLORS = ['#3465a4', '#cc4c3b', '#4e9a06', '#b07800', '#75507b', '#06989a', '#888a85']
/** More points than this are not seen apart. */
const MOST_POINTS = 600

export function lineChart(curves: readonly Curve[], { title, x, format = String, dots = false }: ChartOptions): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE })
  chart.setOption({
    animation: false,
    color: COLORS,
    title: { text: title, left: 12, top: 8, textStyle: { fontSize: 15, fontWeight: 600 } },
    legend: { show: curves.length > 1, top: 32, type: 'plain' },
    grid: { left: 64, right: 20, top: curves.length > 1 ? 72 : 48, bottom: 48 },
    xAxis: { type: 'value', name: x, nameLocation: 'middle', nameGap: 28, max: 'dataMax' },
    yAxis: { type: 'value', scale: true, axisLabel: { formatter: format } },
    series: curves.map(({ name, points }) => ({ type: 'line', name, data: thinned(points), showSymbol: dots || points.length < 2, lineStyle: { width: 1.8 } })),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

/** Means of neighbouring points, so that noise becomes a line instead of a band. */
function thinned(points: Curve['points']): [number, number][] {
  const group = Math.ceil(points.length / MOST_POINTS)
  return Array.from({ length: Math.ceil(points.length / Math.max(1, group)) }, (_, i) => {
    const part = points.slice(i * group, (i + 1) * group)
    const mean = (axis: 0 | 1) => part.reduce((sum, point) => sum + point[axis], 0) / part.length
    return [mean(0), mean(1)]
  })
}
