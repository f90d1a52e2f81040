import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { allowed } from '../nav';
import { useSession } from '../session';
import { Dialog } from '../ui';
import { meantElsewhere, PAUSE_MS } from './keys';

/** `?` opens the help; `g` and then a letter goes to a screen. */
export function useShortcuts(onHelp: () => void) {
  const navigate = useNavigate();
  const { may } = useSession();
  useEffect(() => {
    let pressedG = 0;
    const onKey = (event: KeyboardEvent) => {
      if (meantElsewhere(event)) return;
      if (event.key === '?') return onHelp();
      if (event.key === 'g') {
        pressedG = event.timeStamp;
        return;
      }
      const entry = allowed(may).find(({ letter }) => letter === event.key);
      if (entry && pressedG > 0 && event.timeStamp - pressedG < PAUSE_MS) void navigate({ to: entry.to });
      pressedG = 0;
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, may, onHelp]);
}

export function ShortcutHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { may } = useSession();
  return (
    <Dialog title="Keyboard shortcuts" open={open} onClose={onClose}>
      <dl className="shortcuts">
        {allowed(may).map((entry) => (
          <Keys key={entry.to} name={`Go to ${entry.label}`} keys={['g', entry.letter]} />
        ))}
        {may.includes('listApprovals') && (
          <>
            <Keys name="Next and previous request for approval" keys={['j', 'k']} />
            <Keys name="Approve, reject or comment on the request that is open" keys={['a', 'r', 'c']} />
          </>
        )}
        <Keys name="Move among the marks of a chart" keys={['↑', '↓', '←', '→']} />
        <Keys name="Open what a mark stands for" keys={['Enter']} />
        <Keys name="Close a dialog or menu" keys={['Esc']} />
        <Keys name="This help" keys={['?']} />
      </dl>
    </Dialog>
  );
}

function Keys({ name, keys }: { name: string; keys: string[] }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dd>
    </>
  );
}
