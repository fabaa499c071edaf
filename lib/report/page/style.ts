/**
 * The looks of a page: system fonts, light and dark as the reader's system is, one column where the window is narrow.
 * @module
 */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2126; --soft: #59626d; --paper: #fff; --line: #d8dde3; --panel: #f6f7f9; --note: #fff4d1; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #a2abb6; --paper: #15181c; --line: #353b43; --panel: #1d2126; --note: #3b3214; --bad: #ff8a80 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 1240px; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere } h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; overflow-wrap: anywhere } h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; overflow-wrap: anywhere }
p { margin: .4rem 0; max-width: 75ch } .soft, caption, figcaption { color: var(--soft) }
.note { background: var(--note); padding: .6rem .9rem; border-radius: 6px }
.scroll { overflow-x: auto; margin: .8rem 0 1.2rem } .scroll:focus-visible, summary:focus-visible { outline: 2px solid #3b7dd8; outline-offset: 2px }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums } caption { text-align: left; padding-bottom: .3rem }
th, td { padding: .4rem .9rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap } thead th { color: var(--soft); font-weight: 600 } tbody th { font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 360px), 1fr)); gap: 1rem }
figure { margin: 0; min-width: 0 } .chart { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .6rem .3rem } .chart figcaption { padding: 0 .4rem .2rem; font-weight: 600; color: var(--ink) }
.chart svg { display: block; width: 100%; height: auto; max-height: 420px }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 215px), 1fr)); gap: 1rem; padding: 0; margin: .6rem 0; list-style: none }
.pairs img { display: block; width: 100%; max-width: 280px; height: auto; border-radius: 6px; background: #000 } .pairs figcaption { font-size: .82rem; line-height: 1.35; overflow-wrap: anywhere; padding-top: .3rem } .pairs strong { color: var(--ink) } .pairs .wrong { color: var(--bad) }
details { border: 1px solid var(--line); border-radius: 8px; margin: .6rem 0; padding: .5rem .9rem } summary { cursor: pointer; font-weight: 600 }
pre { font: .85rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--panel); padding: .8rem; overflow-x: auto; border-radius: 6px }
@media print { .chart, .pairs li { break-inside: avoid } }
`
