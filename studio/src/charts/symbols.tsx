// A series is told apart by its shape first and by its colour second. All have about the same area.
const SHAPES = [
  'M3.74 0A3.74 3.74 0 1 1 -3.74 0A3.74 3.74 0 1 1 3.74 0Z', // circle
  'M-3.16 -3.16L3.16 -3.16L3.16 3.16L-3.16 3.16Z', // square
  'M0 -5.26L4.56 2.63L-4.56 2.63Z', // triangle
  'M0 -5.58L3.22 0L0 5.58L-3.22 0Z', // diamond
  'M-4.24 -1.41L-1.41 -1.41L-1.41 -4.24L1.41 -4.24L1.41 -1.41L4.24 -1.41L4.24 1.41L1.41 1.41L1.41 4.24L-1.41 4.24L-1.41 1.41L-4.24 1.41Z', // cross
  'M0 -5.66L1.27 -1.75L5.39 -1.75L2.06 0.67L3.33 4.58L0 2.16L-3.33 4.58L-2.06 0.67L-5.39 -1.75L-1.27 -1.75Z', // star
  'M-1.66 4.29L1.66 4.29L1.66 0.96L4.54 -0.7L2.88 -3.58L0 -1.92L-2.88 -3.58L-4.54 -0.7L-1.66 0.96Z', // three arms
  'M3.74 0A3.74 3.74 0 1 1 -3.74 0A3.74 3.74 0 1 1 3.74 0Z', // circle again, hollow
] as const;

export const seriesClass = (index: number) => `series-${(index % 8) + 1}`;

export function SeriesSymbol({ index }: { index: number }) {
  const at = index % SHAPES.length;
  return <path d={SHAPES[at]} className={at === 7 ? 'symbol hollow' : 'symbol'} />;
}

export function SeriesKey({ index }: { index: number }) {
  return (
    <svg className={`series-key ${seriesClass(index)}`} width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
      <SeriesSymbol index={index} />
    </svg>
  );
}
