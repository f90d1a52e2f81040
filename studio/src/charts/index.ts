/** The chart kit: few marks, each with a table twin. */
export { DotInterval, type DotMark, type DotRow } from './dot-interval';
export { Bars, type BarRow } from './bars';
export { Timeline, type TimelineEvent } from './timeline';
export { Band, Curve, type LinePoint } from './lines';
export { Paths, type PathLine } from './paths';
export { Whiskers, type Whisker } from './whiskers';
export { Waterfall, type Step } from './waterfall';
export { IntervalMark } from './interval-mark';
export { SeriesKey, seriesClass } from './symbols';
export { DownloadCsv } from './figure';
export type { Twin } from './csv';
