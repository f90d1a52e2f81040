import { symbol, symbolCircle, symbolDiamond, symbolSquare, symbolStar, symbolTriangle, symbolWye, symbolCross, type SymbolType } from 'd3-shape';

// A series is told apart by its shape first and by its colour second.
const SHAPES: SymbolType[] = [
  symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye, symbolCircle,
];
const SIZES = [44, 40, 36, 36, 40, 36, 38, 44];

export const seriesClass = (index: number) => `series-${(index % 8) + 1}`;

export function SeriesSymbol({ index }: { index: number }) {
  const at = index % SHAPES.length;
  return <path d={symbol(SHAPES[at], SIZES[at])() ?? ''} className={at === 7 ? 'symbol hollow' : 'symbol'} />;
}

export function SeriesKey({ index }: { index: number }) {
  return (
    <svg className={`series-key ${seriesClass(index)}`} width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
      <SeriesSymbol index={index} />
    </svg>
  );
}
