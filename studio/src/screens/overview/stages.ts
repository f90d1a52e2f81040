import type { RunStage, RunState, Stage } from '../../api/types';

/** A stage as it is shown: what stands published, or what the run under way makes of it. */
export interface ShownStage extends Stage {
  /** 0 to 1; null when the stage does not know how much there is. */
  progress: number | null;
}

const progressOf = ({ done, total }: RunStage) => (total ? Math.min(done / total, 1) : null);

export function withRun(stages: Stage[], run: RunState | null): ShownStage[] {
  return stages.map((stage) => {
    const live = run?.stages.find(({ name }) => name === stage.name);
    if (!live || !run) return { ...stage, progress: null };
    // After a run the published figures come from the line; only a failure still matters.
    if (run.status !== 'running') return { ...stage, state: live.state === 'failed' ? 'failed' : stage.state, progress: null };
    return { ...stage, state: live.state, summary: live.summary ?? stage.summary, progress: progressOf(live) };
  });
}

export function runText(run: RunState): string {
  const done = run.stages.filter(({ state }) => state === 'done').length;
  const now = run.stages.find(({ state }) => state === 'running');
  return `${done} of ${run.stages.length} stages done${now ? `, ${now.name} under way` : ''}`;
}
