/**
 * Charts as SVG text, drawn by Apache ECharts without a browser. Text and axes take the colour of the page around them,
 * so that one drawing does for light and dark pages.
 * @module
 */
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import sharp from 'sharp'

use([BarChart, LineChart, GridComponent, LegendComponent, SVGRenderer])

/** A drawing, and what it shows in words. */
export interface Chart {
  readonly title: string
  readonly svg: string
}

const SIZE = { width: 440, height: 300 }
/** At least three to one against white and against the dark background. */
const COLORS = ['#3b7dd8', '#d1495b', '#3a9a5b', '#b8791c', '#8a63d2', '#1b98a8', '#868b94']
const DASHES = ['solid', 'dashed', 'dotted'] as const
/** Without quotation marks: it stands in attributes. */
const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif'
const LINE = { lineStyle: { color: 'currentColor', opacity: 0.16 } }

export interface Axis {
  readonly name: string
  readonly log?: boolean
  readonly min?: number | 'dataMin'
  readonly max?: number | 'dataMax'
  /** How values read. */
  readonly format?: (value: number) => string
  /** Need not begin at zero. */
  readonly scale?: boolean
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly dots?: boolean
  /** Filled down to the axis. */
  readonly area?: boolean
  /** Series of one group share a dash, and their place in it gives the colour; all in one group when absent. */
  readonly group?: number
}

/** Lines over two axes; the legend names them where there are several. */
export function draw(title: string, x: Axis, y: Axis, series: readonly Series[]): Chart {
  const several = series.length > 1
  const legendRows = several ? Math.ceil(series.reduce((sum, { name }) => sum + name.length + 7, 0) / 62) : 0
  return render(title, {
    legend: { show: several, top: 2, left: 12, right: 12, textStyle: { color: 'currentColor', fontSize: 12 }, itemWidth: 22, itemHeight: 8, itemGap: 14 },
    grid: { ...GRID, top: 18 + 22 * legendRows },
    xAxis: axis(x, 30),
    yAxis: { ...axis(y, 0), nameLocation: 'end', name: '' },
    series: series.map(({ name, points, dots = false, area = false, group = 0 }) => ({
      type: 'line',
      name,
      data: points,
      showSymbol: dots || points.length < 2,
      symbolSize: 6,
      lineStyle: { width: 2, type: DASHES[group % DASHES.length] },
      ...(area && { areaStyle: { opacity: 0.22 } }),
    })),
  })
}

/** A bar a name, with its value on top. */
export function drawBars(title: string, x: Axis, y: Axis, bars: readonly { readonly name: string; readonly value: number }[]): Chart {
  return render(title, {
    grid: { ...GRID, top: 24, bottom: 44 },
    xAxis: { ...axis(x, 44), type: 'category', data: bars.map(({ name }) => name), axisLabel: { color: 'currentColor', fontSize: 11, interval: 0, rotate: bars.length > 6 ? 40 : 0 } },
    yAxis: { ...axis(y, 0), nameLocation: 'end', name: '' },
    series: [{ type: 'bar', data: bars.map(({ value }) => value), label: { show: true, position: 'top', color: 'currentColor' } }],
  })
}

/** Room for the names of the axes. */
const GRID = { left: 12, right: 24, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' } as const

function render(title: string, option: object): Chart {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE })
  chart.setOption({ animation: false, color: COLORS, textStyle: { fontFamily: FONT, color: 'currentColor' }, ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return { title, svg: svg.replace('<svg ', `<svg role="img" aria-label="${title.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')}" `) }
}

function axis({ name, log = false, min, max, format, scale = false }: Axis, nameGap: number): object {
  return {
    type: log ? 'log' : 'value',
    name,
    nameLocation: 'middle',
    nameGap,
    nameTextStyle: { color: 'currentColor', fontSize: 12 },
    min,
    max,
    scale,
    axisLabel: { color: 'currentColor', fontSize: 12, hideOverlap: true, ...(format !== undefined && { formatter: format }) },
    axisLine: { show: true, onZero: false, lineStyle: { color: 'currentColor', opacity: 0.45 } },
    axisTick: { show: false },
    splitLine: LINE,
  }
}

/** The drawing on white with its title above it: for README files and TensorBoard. */
export async function toPng({ title, svg }: Chart, scale = 2): Promise<{ readonly width: number; readonly height: number; readonly encoded: Buffer }> {
  const band = 32
  const { width, height } = SIZE
  const text = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const inner = svg.replace('<svg ', `<svg y="${band}" `)
  const whole =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + band}" viewBox="0 0 ${width} ${height + band}" color="#222">` +
    `<rect width="100%" height="100%" fill="#fff"/><text x="14" y="22" font-family="${FONT}" font-size="15" font-weight="600" fill="#222">${text}</text>${inner}</svg>`
  const { data, info } = await sharp(Buffer.from(whole), { density: 72 * scale }).png().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, encoded: data }
}
