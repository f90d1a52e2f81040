import './styles/tokens.css';
import './styles/base.css';
import './styles/ui.css';
import './styles/forms.css';
import './styles/shell.css';
import './styles/charts.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';

const root = document.getElementById('root');
if (root) createRoot(root).render(<StrictMode><App /></StrictMode>);
