//! Recordings as people keep them: plain, or packed by gzip or zstd. Told by their first bytes, whatever the file is
//! called, and unpacked as they are read, in bounded memory.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How much is read at once.
const CHUNK: usize = 1 << 20;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What a packed recording says, or a plain one.
pub(super) fn unpacked(mut file: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    let is_gzip = start.starts_with(GZIP);
    // A zstd file may begin with a frame that says nothing.
    let is_zstd = start.starts_with(ZSTD) || matches!(start[..], [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
    let whole = BufReader::with_capacity(CHUNK, Cursor::new(start).chain(file));
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(whole)))
    } else if is_zstd {
        Box::new(BufReader::with_capacity(
            CHUNK,
            Frames { source: whole, decoder: FrameDecoder::new(), begun: false },
        ))
    } else {
        Box::new(whole)
    })
}

/// The frames of a zstd file, one behind the other.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    begun: bool,
}

impl<R: BufRead> Frames<R> {
    /// Goes on to the next frame that says something; `false` where there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.begun = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    /// A frame that has been read must be what was written.
    fn check(&self) -> io::Result<()> {
        let (told, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        match told {
            Some(told) if Some(told) != found => {
                Err(io::Error::other("zstd: the checksum is not that of the data"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.begun && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.begun && !self.decoder.is_finished() {
                let blocks = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, blocks).map_err(io::Error::other)?;
                continue;
            }
            if std::mem::take(&mut self.begun) {
                self.check()?;
            }
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    /// Longer than what is read at once, and not the same all over.
    fn text() -> Vec<u8> {
        (0..400_000_u32).flat_map(|n| format!("{{\"n\":{n}}}\n").into_bytes()).collect()
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    fn read(packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        unpacked(Cursor::new(packed))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_recording_is_read_however_it_is_packed() {
        let text = text();
        let (one, two) = text.split_at(1_234_567);
        let skipped = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for (how, packed) in [
            ("plain", text.clone()),
            ("gzip", gzip(&text)),
            ("gzip, in two parts", [gzip(one), gzip(two)].concat()),
            ("zstd", zstd(&text)),
            ("zstd, in two frames", [skipped, zstd(one), zstd(b""), zstd(two)].concat()),
        ] {
            assert!(read(packed).unwrap() == text, "{how}");
        }
        for short in [&b""[..], b"{", b"{}\n"] {
            assert_eq!(read(short.to_vec()).unwrap(), short);
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error_and_not_the_end() {
        let text = text();
        for whole in [gzip(&text), zstd(&text)] {
            let cut = whole[..whole.len() / 2].to_vec();
            read(cut).unwrap_err();
            let mut damaged = whole.clone();
            let middle = damaged.len() / 2;
            damaged[middle] ^= 0x55;
            read(damaged).unwrap_err();
        }
    }
}
