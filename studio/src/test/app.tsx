import { createMemoryHistory } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import { App } from '../app';

export function renderApp(path: string) {
  return render(<App history={createMemoryHistory({ initialEntries: [path] })} />);
}
