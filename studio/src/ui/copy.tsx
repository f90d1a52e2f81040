import { useState } from 'react';
import { Button } from './button';

/** Copies a text and says whether that worked. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [said, setSaid] = useState('');
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('The browser refused to copy: select the text instead');
    }
  }
  return (
    <span className="row">
      <Button onPress={() => void copy()}>{label}</Button>
      <span className="small muted" role="status">{said}</span>
    </span>
  );
}
