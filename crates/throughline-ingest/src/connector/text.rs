//! Opening text files: byte-order marks and encodings.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, new_null_array};
use arrow::datatypes::DataType;

use super::utf16::Utf16;
use crate::error::IngestError;
use crate::location::SourceFile;

const BUFFER_BYTES: usize = 1 << 17;

/// Text in UTF-8, whatever the file is written in.
pub(crate) type TextInput = Box<dyn BufRead + Send>;

/// Opens a text file, checks that it is the one that was listed, and skips the byte-order mark. UTF-16 with its mark, as
/// spreadsheets and advertising tools export it, is read as UTF-8.
pub(crate) fn open(file: &SourceFile) -> Result<TextInput, IngestError> {
    let handle = open_listed(file)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, handle);
    let head = reader.fill_buf().map_err(IngestError::io(&file.name))?;
    let little_endian = match head {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        [0xef, 0xbb, 0xbf, ..] => {
            reader.consume(3);
            return Ok(Box::new(reader));
        }
        _ => return Ok(Box::new(reader)),
    };
    reader.consume(2);
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, Utf16::new(reader, little_endian))))
}

/// Opens a file and checks that it has the size it had when it was listed: its hash stands for its content.
pub(super) fn open_listed(file: &SourceFile) -> Result<File, IngestError> {
    let handle = File::open(&file.path).map_err(IngestError::io(&file.name))?;
    let found = handle.metadata().map_err(IngestError::io(&file.name))?.len();
    if found != file.bytes {
        return Err(IngestError::Changed { file: file.name.clone(), listed: file.bytes, found });
    }
    Ok(handle)
}

/// A column of text under construction; a column that the file lacks takes no room.
#[derive(Debug)]
pub(super) enum TextColumn {
    /// The file has it.
    Present(StringBuilder),
    /// The file lacks it.
    Missing,
}

impl TextColumn {
    pub(super) fn new(present: bool) -> Self {
        if present { Self::Present(StringBuilder::new()) } else { Self::Missing }
    }

    pub(super) fn push(&mut self, value: Option<&str>) {
        if let Self::Present(builder) = self {
            builder.append_option(value);
        }
    }

    pub(super) fn finish(&mut self, rows: usize) -> ArrayRef {
        match self {
            Self::Present(builder) => Arc::new(builder.finish()),
            Self::Missing => new_null_array(&DataType::Utf8, rows),
        }
    }
}
