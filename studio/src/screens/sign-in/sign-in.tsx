import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createLazyRoute, useRouter } from '@tanstack/react-router';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { url } from '../../api/client';
import { commands, queries } from '../../api/queries';
import type { Credentials, SignInMethods } from '../../api/types';
import { Button, ProblemLine, ProblemView, Skeleton, TextField } from '../../ui';
import { takeFragmentToken } from './fragment';
import './sign-in.css';

export const Route = createLazyRoute('/sign-in')({ component: SignIn });

function SignIn() {
  const client = useQueryClient();
  const router = useRouter();
  const { next } = Route.useSearch();
  const methods = useQuery(queries.signIn());
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const linkUsed = useRef(false);

  const signIn = useCallback(async (credentials: Credentials) => {
    setBusy(true);
    setProblem(null);
    try {
      const session = await commands.signIn(credentials);
      client.setQueryData(queries.session().queryKey, session);
      await router.navigate({ href: next ?? '/', replace: true });
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }, [client, router, next]);

  useEffect(() => {
    document.title = 'Sign in · Throughline';
    if (linkUsed.current) return;
    const token = takeFragmentToken();
    if (!token) return;
    linkUsed.current = true;
    void signIn({ token });
  }, [signIn]);

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <svg className="sign-in-mark" viewBox="0 0 320 40" aria-hidden="true">
          <path d="M0 30H92L132 10H228L248 20H320" />
          {[[40, 30], [92, 30], [132, 10], [180, 10], [228, 10], [284, 20]].map(([x, y]) => <circle key={x} cx={x} cy={y} r="4" />)}
        </svg>
        <h1>{methods.data ? `Sign in to ${methods.data.project}` : 'Sign in'}</h1>
        {problem !== null && <ProblemLine problem={problem} />}
        {methods.error && <ProblemView problem={methods.error} onRetry={() => void methods.refetch()} />}
        {methods.isPending && <Skeleton lines={[40, 100, 40, 100, 30]} height={28} />}
        {methods.data && <Ways methods={methods.data.methods} busy={busy} onSubmit={signIn} />}
        {methods.data && <p className="small muted">Throughline {methods.data.version}</p>}
      </div>
    </main>
  );
}

interface WaysProps {
  methods: SignInMethods['methods'];
  busy: boolean;
  onSubmit: (credentials: Credentials) => Promise<void>;
}

function Ways({ methods, busy, onSubmit }: WaysProps) {
  const [byToken, setByToken] = useState(!methods.password);
  return (
    <>
      {methods.oidc.length > 0 && (
        <div className="stack-s">
          {methods.oidc.map(({ id, label }) => (
            <a key={id} className="button" href={url(`/oidc/${encodeURIComponent(id)}/start`)}>Continue with {label}</a>
          ))}
        </div>
      )}
      {methods.oidc.length > 0 && (methods.password || methods.token) && <p className="or">or</p>}
      {!byToken && methods.password && <PasswordForm busy={busy} onSubmit={onSubmit} />}
      {byToken && methods.token && <TokenForm busy={busy} onSubmit={onSubmit} />}
      {methods.password && methods.token && (
        <Button look="quiet" onPress={() => setByToken(!byToken)}>
          {byToken ? 'Use name and password' : 'Use a sign-in token'}
        </Button>
      )}
    </>
  );
}

function PasswordForm({ busy, onSubmit }: Omit<WaysProps, 'methods'>) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onSubmit({ name: name.trim(), password });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField label="Name" name="username" autoComplete="username" isRequired value={name} onChange={setName} />
      <TextField label="Password" name="password" type="password" autoComplete="current-password" isRequired value={password} onChange={setPassword} />
      <Button type="submit" look="primary" isPending={busy}>{busy ? 'Signing in…' : 'Sign in'}</Button>
    </form>
  );
}

function TokenForm({ busy, onSubmit }: Omit<WaysProps, 'methods'>) {
  const [token, setToken] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onSubmit({ token: token.trim() });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField
        label="Sign-in token" type="password" autoComplete="off" isRequired value={token} onChange={setToken}
        hint="From the link the server printed when it started, or from an administrator."
      />
      <Button type="submit" look="primary" isPending={busy}>{busy ? 'Signing in…' : 'Sign in'}</Button>
    </form>
  );
}
