import type { ReactNode } from 'react';
import { Problem } from '../api/client';
import { Button } from './button';

const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem({
        status: 0,
        code: 'studio',
        title: 'This screen failed',
        detail: error instanceof Error ? error.message : String(error),
      });

/** A failed load or a broken screen: what happened, and what to quote when asking for help. */
export function ProblemView({ problem, onRetry, children }: { problem: unknown; onRetry?: () => void; children?: ReactNode }) {
  const { message, detail, code, requestId } = asProblem(problem);
  return (
    <div className="problem" role="alert">
      <h2>{message}</h2>
      {detail && <p className="prose wrap-anywhere">{detail}</p>}
      <dl className="facts left">
        <dt>Code</dt>
        <dd>{code}</dd>
        {requestId && (
          <>
            <dt>Request</dt>
            <dd>{requestId}</dd>
          </>
        )}
      </dl>
      {onRetry && <Button onPress={onRetry}>Try again</Button>}
      {children}
    </div>
  );
}

/** The same in one line, inside forms and dialogs. */
export function ProblemLine({ problem }: { problem: unknown }) {
  const { message, detail, code, requestId } = asProblem(problem);
  return (
    <p className="notice bad" role="alert">
      <span className="wrap-anywhere">
        {message}{detail && detail !== message ? `: ${detail}` : ''}{' '}
        <span className="mono">({code}{requestId ? `, request ${requestId}` : ''})</span>
      </span>
    </p>
  );
}
