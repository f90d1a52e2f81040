//! A folder with the market's data and truth.

use std::fs::{File, create_dir_all};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::truth_files::{self, TruthFile};
use crate::{DataFile, MarketError, Standing, Truth, VENDORS, World};

/// Writes `DIR/data/…` and `DIR/truth/…`; returns the truth that was written. Existing files are replaced.
pub fn write_project_data(world: &World, dir: &Path) -> Result<Truth, MarketError> {
    for file in DataFile::ALL.into_iter().filter(|f| f.is_in(world.scenario())) {
        write_file(&dir.join("data").join(file.name()), |out| world.write(file, out))?;
    }
    Standing::new(world).write(dir)?;
    write_truth(world, dir)
}

/// Writes every vendor's shape of the market below a folder; returns the bytes. Existing files are replaced.
pub fn write_vendors(world: &World, dir: &Path) -> Result<u64, MarketError> {
    let mut bytes = 0;
    for file in VENDORS {
        let path = dir.join(file.path);
        write_file(&path, |out| world.write_vendor(file, out))?;
        bytes += std::fs::metadata(&path).map_err(|source| MarketError::Io { path, source })?.len();
    }
    Ok(bytes)
}

/// Writes `DIR/truth/…`, the state of a closed loop left out.
pub(crate) fn write_truth(world: &World, dir: &Path) -> Result<Truth, MarketError> {
    let truth = world.truth();
    for file in TruthFile::ALL {
        write_file(&dir.join("truth").join(file.name()), |out| truth_files::write(world, &truth, file, out))?;
    }
    Ok(truth)
}

/// Reads the truth back from `DIR/truth`.
pub fn read_truth(dir: &Path) -> Result<Truth, MarketError> {
    let open = |file: TruthFile| {
        let path = dir.join("truth").join(file.name());
        File::open(&path).map(|f| (path.clone(), f)).map_err(|source| MarketError::Io { path, source })
    };
    let bad = |path: PathBuf| |source| MarketError::BadTruth { path, source };
    let (path, file) = open(TruthFile::ChannelEffects)?;
    let channels = truth_files::read_channels(file).map_err(bad(path))?;
    let (path, file) = open(TruthFile::Persons)?;
    let persons = truth_files::read_persons(file).map_err(bad(path))?;
    Ok(Truth { channels, persons })
}

pub(crate) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), MarketError>,
) -> Result<(), MarketError> {
    let fail = |source| MarketError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        create_dir_all(folder).map_err(fail)?;
    }
    let mut out = BufWriter::new(File::create(path).map_err(fail)?);
    write(&mut out)?;
    out.flush().map_err(fail)
}
