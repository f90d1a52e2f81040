import { type FormEvent, useEffect, useRef, useState } from 'react';

/**
 * The course of a form: errors show from the first try on and the first of them takes the focus; one request at a
 * time; the problem it ends with. Nothing that was sent or answered is kept, which matters for passwords and tokens.
 */
export function useForm() {
  const ref = useRef<HTMLFormElement>(null);
  const sending = useRef(false);
  const [tries, setTries] = useState(0);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  useEffect(() => {
    if (tries > 0) ref.current?.querySelector('.error')?.closest('.field, .checks')?.querySelector('input')?.focus();
  }, [tries]);

  async function run(valid: boolean, action: () => Promise<unknown>) {
    if (sending.current) return;
    setProblem(null);
    setTries((n) => n + 1);
    if (!valid) return;
    sending.current = true;
    setBusy(true);
    try {
      await action();
      setTries(0);
    } catch (error) {
      setProblem(error);
      setTries((n) => n + 1);
    } finally {
      sending.current = false;
      setBusy(false);
    }
  }

  const send = (valid: boolean, action: () => Promise<unknown>) => (event: FormEvent) => {
    event.preventDefault();
    void run(valid, action);
  };
  return { ref, tried: tries > 0, busy, problem, send };
}
