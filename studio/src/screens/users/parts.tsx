import { CopyButton } from '../../ui';
import { linkCommand } from './words';

/** How somebody gets in without a password. The studio makes no links: whoever could ask it for one could be anybody. */
export function LinkCommand({ name }: { name: string }) {
  const command = linkCommand(name, window.location.origin);
  return (
    <div className="stack-s">
      <p>
        A sign-in link lets <strong>{name}</strong> in once, within 24 hours. Only the command line makes one, on the computer that holds
        the project's files; <span className="mono">PROJECT</span> is their folder.
      </p>
      <pre className="command" tabIndex={0} aria-label="Command for a sign-in link"><code>{command}</code></pre>
      <CopyButton text={command} label="Copy the command" />
    </div>
  );
}
