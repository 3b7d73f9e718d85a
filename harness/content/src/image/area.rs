//! A rectangle of pixels.

/// A rectangle in a picture, in pixels from its upper left corner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// How many columns.
    pub width: u32,
    /// How many rows.
    pub height: u32,
}

impl Area {
    /// The whole of a picture.
    #[must_use]
    pub const fn whole(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// Without a margin on each side; empty where the margin is too wide.
    #[must_use]
    pub const fn inset(self, margin: u32) -> Self {
        Self {
            x: self.x.saturating_add(margin),
            y: self.y.saturating_add(margin),
            width: self.width.saturating_sub(margin.saturating_mul(2)),
            height: self.height.saturating_sub(margin.saturating_mul(2)),
        }
    }

    /// With a margin on each side, cut to a picture of `width` × `height`.
    #[must_use]
    pub fn grown(self, margin: u32, width: u32, height: u32) -> Self {
        let (x, y) = (self.x.saturating_sub(margin).min(width), self.y.saturating_sub(margin).min(height));
        let right = self.x.saturating_add(self.width).saturating_add(margin).min(width);
        let bottom = self.y.saturating_add(self.height).saturating_add(margin).min(height);
        Self { x, y, width: right - x.min(right), height: bottom - y.min(bottom) }
    }

    /// Whether it lies in a picture of `width` × `height` and has pixels.
    #[must_use]
    pub fn is_within(self, width: u32, height: u32) -> bool {
        let fits = |start: u32, length: u32, all: u32| length > 0 && start.checked_add(length).is_some_and(|end| end <= all);
        fits(self.x, self.width, width) && fits(self.y, self.height, height)
    }
}

impl std::fmt::Display for Area {
    /// `x,y,width,height`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

/// Not four numbers with commas between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not written as x,y,width,height")]
pub struct AreaError;

impl std::str::FromStr for Area {
    type Err = AreaError;

    fn from_str(text: &str) -> Result<Self, AreaError> {
        let numbers: Vec<u32> =
            text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map_err(|_| AreaError)?;
        match numbers[..] {
            [x, y, width, height] => Ok(Self { x, y, width, height }),
            _ => Err(AreaError),
        }
    }
}
