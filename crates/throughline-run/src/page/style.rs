//! The look of the page, light and dark, on any screen and on paper.

/// The style sheet.
pub(super) const STYLE: &str = r#"
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --raised: #ffffff; --ink: #18222c; --soft: #55616d; --line: #dfe3e7; --faint: #eef0f2;
  --thread: #0c6570; --good: #1c7443; --warn: #8f5a00; --bad: #b02a20;
  --s0: #2a69b0; --s1: #bd4f14; --s2: #27804f; --s3: #7a4fc4; --s4: #8a6508; --s5: #b8387a; --s6: #0b7f99; --s7: #5a6570;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --serif: "Iowan Old Style", Charter, "Bitstream Charter", "Source Serif 4", "Sitka Text", Cambria, Georgia, "Noto Serif", serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12171c; --raised: #192026; --ink: #e6eaee; --soft: #a0acb7; --line: #2d363e; --faint: #20282f;
    --thread: #54b7c1; --good: #6cc793; --warn: #e0ab54; --bad: #f18a80;
    --s0: #7fb3ef; --s1: #f09863; --s2: #6fc596; --s3: #bb9ff6; --s4: #d8b04f; --s5: #ef8cb9; --s6: #58c5dc; --s7: #a8b3be;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 var(--sans); overflow-wrap: break-word; }
main { max-width: 61rem; margin: 0 auto; padding: 3.5rem 2rem 5rem; }
a { color: inherit; text-decoration-color: var(--thread); text-underline-offset: .2em; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--thread); outline-offset: 3px; border-radius: 3px; }
code { font: .88em var(--mono); background: var(--faint); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
strong { font-weight: 650; }
.kicker { margin: 0; color: var(--thread); font-weight: 600; font-size: .95rem; }
h1 { font: 600 2.6rem/1.12 var(--serif); letter-spacing: -.015em; margin: .3rem 0 .6rem; text-wrap: balance; }
.facts { color: var(--soft); margin: 0 0 1.4rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.6rem; }
.questions { font: 1.12rem/1.5 var(--serif); margin: 0 0 1.5rem; padding: 0; list-style: none; max-width: 42rem; }
.questions li { margin: .2rem 0; }
.verdict { display: flex; gap: .7rem; align-items: baseline; margin: 0; font-size: 1.1rem; }
.verdict::before { content: ""; flex: none; width: .72rem; height: .72rem; border-radius: 50%; background: var(--tone); }
.good { --tone: var(--good); } .warning { --tone: var(--warn); } .error { --tone: var(--bad); } .info { --tone: var(--soft); }

.line { list-style: none; display: flex; margin: 3rem 0 1.2rem; padding: 0; }
.line li { flex: 1 1 0; min-width: 0; position: relative; padding: 1.6rem .6rem 0 0; }
.line li::before { content: ""; position: absolute; top: .42rem; left: 0; right: 0; height: 2px; background: var(--thread); }
.line li:last-child::before { right: auto; width: .9rem; }
.line li::after { content: ""; position: absolute; top: 0; left: 0; width: .9rem; height: .9rem; border-radius: 50%;
  background: var(--thread); border: 2px solid var(--thread); }
.line li.unchanged::after { background: var(--paper); }
.line a { display: block; text-decoration: none; }
.line a:hover .noun { text-decoration: underline; text-decoration-color: var(--thread); }
.line .noun, .line .big, .line .sub { display: block; }
.line .noun { font-size: .88rem; color: var(--soft); }
.line .big { font: 600 1.45rem/1.25 var(--sans); letter-spacing: -.015em; font-variant-numeric: tabular-nums; }
.line .sub { font-size: .8rem; line-height: 1.4; color: var(--soft); margin-top: .15rem; }
nav { margin: 1.8rem 0 0; font-size: .9rem; color: var(--soft); }
nav a { display: inline-block; margin: .1rem 1.1rem .1rem 0; text-decoration-color: var(--line); }
nav a:hover { text-decoration-color: var(--thread); }

section { border-top: 1px solid var(--line); margin-top: 3.4rem; padding-top: 1.5rem; }
h2 { font: 600 .98rem/1.3 var(--sans); color: var(--thread); margin: 0 0 .5rem; }
h3 { font: 600 1.08rem/1.35 var(--sans); margin: 2.4rem 0 .4rem; }
.lede { font: 1.34rem/1.42 var(--serif); margin: 0 0 1.2rem; max-width: 44rem; text-wrap: pretty; }
section p:not(.lede):not(.caption) { max-width: 44rem; }
p { margin: .6rem 0; }
.note { color: var(--soft); font-size: .92rem; }
.say { list-style: none; padding: 0; margin: 1rem 0; max-width: 46rem; }
.say li { padding: .55rem 0 .55rem 1.3rem; position: relative; border-top: 1px solid var(--faint); }
.say li:first-child { border-top: 0; }
.say li::before { content: ""; position: absolute; left: 0; top: 1.12rem; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone, var(--soft)); }
.say .what { display: block; color: var(--soft); font-size: .9rem; }
.say .tag { color: var(--tone); font-weight: 600; }

figure { margin: 1.6rem 0 0; }
.caption { font-weight: 600; font-size: .95rem; margin: 0 0 .8rem; }
.chart { display: block; overflow: visible; max-width: 100%; font: 13px var(--sans); font-variant-numeric: tabular-nums; }
.chart text { fill: var(--ink); }
.chart .label { font-weight: 600; }
.chart .readout { fill: var(--soft); font-weight: 400; }
.chart .tick { fill: var(--soft); font-size: 12px; }
.chart .grid { stroke: var(--line); }
.chart .zero { stroke: var(--soft); stroke-opacity: .7; }
.mark line { stroke: var(--c); stroke-width: 2px; stroke-opacity: .6; }
.mark path, .mark rect { fill: var(--c); }
.mark svg { overflow: visible; }
.mark:hover line { stroke-opacity: 1; stroke-width: 3px; }
.truth line { stroke-dasharray: 2 3; stroke-width: 1.5px; stroke-opacity: .9; }
.s0, .main { --c: var(--s0); } .s1, .promised { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); } .truth { --c: var(--ink); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.2rem; margin: .7rem 0 0; padding: 0; font-size: .88rem; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: .4rem; }

details { margin: 1rem 0 0; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; width: fit-content; }
summary:hover { color: var(--ink); }
section .about:not(.lede) { margin: 1.4rem 0 .3rem; max-width: 44rem; color: var(--soft); font-size: .88rem; }
details .about { margin-top: .8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; line-height: 1.45; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .45rem 1rem .45rem 0; border-bottom: 1px solid var(--faint); }
thead th { font-weight: 600; color: var(--soft); border-bottom-color: var(--line); vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 7rem; }
td:not(.fig) { min-width: 6.5rem; max-width: 26rem; }
.fig { text-align: right; }
td:not(.fig):last-child { min-width: 9rem; }
td.fig, .whole, td code, th code { white-space: nowrap; }
tr > :last-child { padding-right: 0; }
.under { display: block; color: var(--soft); font-size: .92em; }
.status { color: var(--tone); font-weight: 600; white-space: nowrap; }
footer { margin-top: 4rem; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--soft); font-size: .86rem; }

@media (max-width: 46rem) {
  main { padding: 2rem 1rem 3rem; }
  h1 { font-size: 2rem; }
  .lede { font-size: 1.18rem; }
  .line { display: block; margin-top: 2rem; }
  .line li { padding: 0 0 1.1rem 1.9rem; }
  .line li::before { top: .5rem; bottom: -.5rem; left: .36rem; right: auto; width: 2px; height: auto; }
  .line li:last-child::before { display: none; }
  .line li::after { top: .42rem; }
  .line .noun, .line .big, .line .sub { display: inline; margin: 0 .45rem 0 0; }
  .line .big { font-size: 1.15rem; }
  .line .sub { display: block; }
  section { margin-top: 2.5rem; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #bbb; --faint: #e4e4e4; --thread: #0c6570;
    --good: #1c7443; --warn: #8f5a00; --bad: #b02a20;
    --s0: #2a69b0; --s1: #bd4f14; --s2: #27804f; --s3: #7a4fc4; --s4: #8a6508; --s5: #b8387a; --s6: #0b7f99; --s7: #5a6570; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  nav, details:not([open]) { display: none; }
  figure, tr, .say li { break-inside: avoid; }
  h2, h3, .lede, .caption, .about { break-after: avoid; }
  .mark path, .mark rect, .line li::after, .line li::before, .verdict::before, .say li::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .scroll { overflow: visible; }
}
"#;
