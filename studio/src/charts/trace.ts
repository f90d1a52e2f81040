/** A place in the plot, in percent; null where there is none, which interrupts the line. */
export type Spot = [number, number] | null;

const written = (value: number) => Math.round(value * 1000) / 1000;

/** Runs of neighbours that all have a place. */
function runs<T>(spots: (T | null)[]): T[][] {
  const all: T[][] = [[]];
  for (const spot of spots) {
    if (spot === null) all.push([]);
    else all.at(-1)!.push(spot);
  }
  return all.filter((run) => run.length > 0);
}

const through = (spots: [number, number][]) => spots.map(([x, y]) => `${written(x)} ${written(y)}`).join('L');

/** Straight lines through places, as a path. A place alone is a dot, where line ends are round. */
export const lineThrough = (spots: Spot[]): string => runs(spots).map((run) => `M${through(run)}${run.length === 1 ? 'Z' : ''}`).join('');

interface Edge {
  x: number;
  low: number;
  high: number;
}

/** The area between a lower and an upper edge, as a path. */
export function areaBetween(edges: (Edge | null)[]): string {
  return runs(edges).map((run) => {
    const there = run.map(({ x, high }): [number, number] => [x, high]);
    const back = run.map(({ x, low }): [number, number] => [x, low]).reverse();
    return `M${through([...there, ...back])}Z`;
  }).join('');
}
