import { expect, it } from 'vitest';
import { comparison, estimate, healthy, suspect } from '../test/evidence';
import { pText, reasons, sentence, side, spread, verdictOf, writer } from './words';

const told = (change: Parameters<typeof comparison>[0], compared = 1) => {
  const { word, text } = verdictOf(comparison(change), false, compared);
  return [word, text];
};

it('says what to take from a comparison', () => {
  expect(told({})).toEqual(['positive', 'Raises visit by 0.0695 to 0.0836 per person.']);
  expect(told({ estimate: estimate(-0.03, [[-0.06, -0.001]]) })).toEqual(['harmful', 'Lowers visit by 0.0010 to 0.060 per person.']);
  expect(told({ estimate: estimate(0.01, [[-0.02, 0.04]]), significant: false })).toEqual(['hold', 'The effect on visit could be anything from −0.020 to 0.040 per person.']);
  expect(told({ estimate: estimate(0.01, [[-0.02, null]]), significant: false })).toEqual(['hold', 'The effect on visit could be anything in −0.020 and more per person.']);
  expect(told({ estimate: estimate(0.01, [[null, null]]), significant: false })).toEqual(['hold', 'The effect on visit could be anything at all.']);
  expect(told({ estimate: estimate(0.01, [[null, -2], [0.1, null]]), significant: false })).toEqual(['hold', 'The effect on visit could be anything in up to −2.0 or 0.10 and more per person.']);
  expect(told({ estimate: estimate(0.2, [[0.1, null]]) })).toEqual(['positive', 'Raises visit by 0.10 and more per person as far as the data tell.']);
  expect(told({ estimate: null, estimate_absent: 'the control has no units' })).toEqual(['no result', 'Nothing about visit: the control has no units.']);
});

it('turns the verdict around where less of a metric is better', () => {
  expect(told({ lower_is_better: true })[0]).toBe('harmful');
  expect(told({ lower_is_better: true, estimate: estimate(-0.03, [[-0.06, -0.001]]) })).toEqual(['positive', 'Lowers visit by 0.0010 to 0.060 per person.']);
  expect(told({ lower_is_better: true, estimate: estimate(0.01, [[-0.02, 0.04]]), significant: false })[0]).toBe('hold');
});

it('holds where only chance among many comparisons shows an effect, and wherever a check failed', () => {
  expect(told({ significant: false, adjusted_p_value: 0.09 }, 4)).toEqual([
    'hold', 'Raises visit by 0.0695 to 0.0836 per person when looked at alone, but among 4 comparisons that may be chance (adjusted p = 0.090).',
  ]);
  expect(verdictOf(comparison(), true, 1).word).toBe('not to be used');
});

it('tells reasons, sides and sets in words', () => {
  expect(reasons(suspect)).toEqual(['The arms do not have the sizes the plan promised (sample ratio mismatch).']);
  expect(reasons({ ...suspect, reading: { ...suspect.reading, diagnostics: [] } })).toEqual(['The arms do not have the sizes that the plan promised.']);
  expect(reasons({ ...healthy, reading: { ...healthy.reading, diagnostics: [] } })).toEqual(['A check of its design failed.']);
  expect([side(estimate(1, [])), side(estimate(1, [[0, 2]])), side(estimate(1, [[null, -1]])), side(estimate(1, [[1, 2], [3, null]]))]).toEqual([null, null, -1, 1]);
  expect(spread(estimate(1, []), writer('absolute'))).toBe('an empty 95% set: no effect fits the data');
  expect(spread(estimate(0.1, [[0.05, 0.15]]), writer('relative'))).toBe('5.0% to 15.0% (95%)');
  expect([pText(0.0001), pText(0.21), pText(null)]).toEqual(['p < 0.001', 'p = 0.210', 'no p-value']);
  expect([sentence('it moved'), sentence('Done.'), sentence(' ')]).toEqual(['It moved.', 'Done.', '']);
});
