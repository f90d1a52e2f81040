import { type ReactNode, useId } from 'react';

interface Choice<T extends string> {
  value: T;
  label: string;
  hint?: ReactNode;
}

interface GroupProps<T extends string> {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  options: Choice<T>[];
}

/** Any number of a few. */
export function Checks<T extends string>({ value, onChange, ...group }: GroupProps<T> & { value: T[]; onChange: (value: T[]) => void }) {
  // In the order of the options, so that the same choice is always the same value.
  const toggle = (option: T, on: boolean) =>
    onChange(group.options.map((each) => each.value).filter((each) => (each === option ? on : value.includes(each))));
  return (
    <Group {...group}>
      {(option) => (
        <input type="checkbox" checked={value.includes(option)} onChange={(event) => toggle(option, event.target.checked)} />
      )}
    </Group>
  );
}

/** One of a few, with room for a word on each. */
export function Radios<T extends string>({ value, onChange, ...group }: GroupProps<T> & { value: T; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <Group {...group}>
      {(option) => <input type="radio" name={name} checked={value === option} onChange={() => onChange(option)} />}
    </Group>
  );
}

function Group<T extends string>({ label, hint, error, options, children }: GroupProps<T> & { children: (value: T) => ReactNode }) {
  const id = useId();
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <fieldset className="checks" aria-describedby={told || undefined}>
      <legend>{label}</legend>
      {hint && <p id={`${id}-hint`} className="hint">{hint}</p>}
      <div className="options">
        {options.map((option) => (
          <label key={option.value}>
            {children(option.value)}
            <span>{option.label}{option.hint && <small>{option.hint}</small>}</span>
          </label>
        ))}
      </div>
      {error && <p id={`${id}-error`} className="error" role="alert">{error}</p>}
    </fieldset>
  );
}
