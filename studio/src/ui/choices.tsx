import { useId } from 'react';
import {
  Button, Label, ListBox, ListBoxItem, Popover, Select as AriaSelect, SelectValue, ToggleButton, ToggleButtonGroup,
} from 'react-aria-components';

export interface Option<T extends string = string> {
  value: T;
  label: string;
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: Option<T>[];
  onChange: (value: T) => void;
}

/** One of many, in a list that opens. */
export function Select<T extends string>({ label, value, options, onChange, inline }: ChoiceProps<T> & { inline?: boolean }) {
  return (
    <AriaSelect
      className={inline ? 'field inline' : 'field'}
      value={value}
      onChange={(key) => key !== null && onChange(key as T)}
    >
      <Label>{label}</Label>
      <Button className="select-button">
        <SelectValue />
        <svg width="10" height="6" viewBox="0 0 10 6" aria-hidden="true">
          <path d="M1 1l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </Button>
      <Popover className="popover">
        <ListBox>
          {options.map((option) => (
            <ListBoxItem key={option.value} id={option.value}>{option.label}</ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** One of a few, all in sight. */
export function Segments<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const id = useId();
  return (
    <>
      <span id={id} className="visually-hidden">{label}</span>
      <ToggleButtonGroup
        className="segments" aria-labelledby={id} selectionMode="single" disallowEmptySelection
        selectedKeys={[value]}
        onSelectionChange={(keys) => {
          const [key] = keys;
          if (key !== undefined) onChange(key as T);
        }}
      >
        {options.map((option) => (
          <ToggleButton key={option.value} id={option.value}>{option.label}</ToggleButton>
        ))}
      </ToggleButtonGroup>
    </>
  );
}
