import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Line } from '../api/types';
import { absoluteTime } from '../format';
import { Button, Notice } from '../ui';

/** The state of the data that is shown: the instant that the project lives at, or that of its last run. */
export const asOfOf = (line: Line | undefined): string | null => line?.project.as_of ?? line?.last_run?.as_of ?? null;

/** Copies the address of what is on the screen, with the state of the data it was made for. */
export function CopyLink({ asOf }: { asOf: string | null }) {
  const [said, setSaid] = useState('');
  async function copy() {
    const link = new URL(window.location.href);
    if (asOf) link.searchParams.set('as_of', asOf);
    try {
      await navigator.clipboard.writeText(link.href);
      setSaid('Link copied');
    } catch {
      setSaid('The browser refused to copy');
    }
  }
  return (
    <>
      <Button look="quiet" onPress={() => void copy()}>Copy link to this view</Button>
      <span className="visually-hidden" role="status">{said}</span>
    </>
  );
}

/** Says when a link was made for another state of the data than the one shown. */
export function AsOfNotice({ asOf }: { asOf: string | null }) {
  const search = useSearch({ from: '/app' });
  if (!search.as_of || !asOf || Date.parse(search.as_of) === Date.parse(asOf)) return null;
  return (
    <Notice>
      <span>
        This link was made for data as of {absoluteTime(search.as_of)}. You see the data as of {absoluteTime(asOf)}; figures may differ.
      </span>
      <Link to="." search={(previous) => ({ ...previous, as_of: undefined })}>Dismiss</Link>
    </Notice>
  );
}
