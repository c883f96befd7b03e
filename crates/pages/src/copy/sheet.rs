//! A document of headings, paragraphs and lists as a PDF that is read out as it is seen (PDF/UA-1): tagged, with
//! title, language, outline and page numbers.
//!
//! Invariants: the same content and time give the same bytes; no character is lost: one that the font does not
//! have is seen as a replacement, and copied and read out as what it is.

use std::num::NonZeroU16;

use krilla::Document;
use krilla::SerializeSettings;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, ListNumbering, Node, SpanTag, Tag, TagGroup, TagTree,
};
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// A4, in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;

/// Around what is printed, in points.
const MARGIN: f32 = 56.0;

/// Where a page ends, above the foot.
const BOTTOM: f32 = HEIGHT - 72.0;

/// From one line to the next, in parts of the size.
const LEADING: f32 = 1.4;

/// Shown instead of a character that the font does not have.
const REPLACEMENT: char = '\u{fffd}';

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document cannot be made: {0}")]
pub struct Unprintable(&'static str);

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The document's title.
    Title,
    /// Of a section.
    Heading,
    /// A paragraph.
    Text,
    /// The first line of an item of a list.
    Item,
    /// More about the item before.
    Fact,
}

impl Role {
    /// Size in points, whether bold, indent and space before in points.
    fn look(self) -> (f32, bool, f32, f32) {
        match self {
            Role::Title => (20.0, true, 0.0, 0.0),
            Role::Heading => (14.0, true, 0.0, 20.0),
            Role::Text => (10.0, false, 0.0, 4.0),
            Role::Item => (10.0, true, 0.0, 8.0),
            Role::Fact => (9.0, false, 12.0, 1.0),
        }
    }
}

/// What a document is called, and how its pages are numbered.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The title.
    pub title: &'a str,
    /// When it was made: year, month, day, hour, minute and second of UTC.
    pub made: (u16, u8, u8, u8, u8, u8),
    /// Writes the foot of a page: its number, and how many there are.
    pub foot: &'a dyn Fn(usize, usize) -> String,
}

/// A document being written.
#[derive(Default)]
pub struct Sheet {
    pieces: Vec<(Role, String)>,
}

/// A line in its place.
struct Placed {
    piece: usize,
    x: f32,
    y: f32,
    text: String,
}

struct Face {
    font: Font,
    metrics: FontRef<'static>,
    unit: f32,
}

impl Sheet {
    /// Adds a piece of text; an empty one is left out.
    pub fn add(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        if !text.trim().is_empty() {
            self.pieces.push((role, text));
        }
    }

    /// The document.
    ///
    /// # Errors
    /// A font that cannot be read, and what the format does not allow.
    pub fn print(&self, about: &About<'_>) -> Result<Vec<u8>, Unprintable> {
        let faces = [Face::new(dejavu::sans::regular())?, Face::new(dejavu::sans::bold())?];
        let pages = self.laid_out(&faces);
        let configuration = ConfigurationBuilder::new()
            .with_accessibility_validator(Accessibility::UA1)
            .finish()
            .map_err(|_| Unprintable("the format is not known"))?;
        let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
        let mut document = Document::new_with(settings);
        let (mut outline, mut nodes) = (Outline::new(), Vec::new());
        nodes.resize_with(self.pieces.len(), Vec::<Node>::new);
        let count = pages.len();
        for (i, page) in pages.iter().enumerate() {
            let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(Unprintable("no such page"))?;
            let mut sheet = document.start_page_with(size);
            let mut surface = sheet.surface();
            let mut seen = None;
            for line in page {
                let Some((role, text)) = self.pieces.get(line.piece) else { continue };
                if *role == Role::Heading && seen != Some(line.piece) {
                    let top = Point::from_xy(0.0, (line.y - 20.0).max(0.0));
                    outline.push_child(OutlineNode::new(text.clone(), XyzDestination::new(i, top)));
                }
                seen = Some(line.piece);
                let (size, ..) = role.look();
                let id = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
                role.face(&faces).draw(&mut surface, (line.x, line.y), size, &line.text);
                surface.end_tagged();
                if let Some(node) = nodes.get_mut(line.piece) {
                    node.push(id.into());
                }
            }
            let foot = Artifact::with_kind(ArtifactType::Footer);
            surface.start_tagged(ContentTag::Artifact(foot));
            let text = (about.foot)(i + 1, count);
            Role::Fact.face(&faces).draw(&mut surface, (MARGIN, HEIGHT - 40.0), 8.0, &text);
            surface.end_tagged();
            surface.finish();
            sheet.finish();
        }
        document.set_outline(outline);
        document.set_tag_tree(self.tagged(nodes));
        document.set_metadata(metadata(about));
        document.finish().map_err(|_| Unprintable("what it says does not fit the format"))
    }

    /// Every line in its place, page by page; there is always a page.
    fn laid_out(&self, faces: &[Face; 2]) -> Vec<Vec<Placed>> {
        let (mut pages, mut page) = (Vec::new(), Vec::new());
        let mut y = MARGIN;
        for (piece, (role, text)) in self.pieces.iter().enumerate() {
            let (size, _, indent, before) = role.look();
            let height = size * LEADING;
            let lines = role.face(faces).wrapped(text, size, WIDTH - 2.0 * MARGIN - indent);
            // What begins something stays with what follows it.
            let follows = if matches!(role, Role::Text | Role::Fact) { 1 } else { 3 };
            let needed = before + height * (lines.len().min(2) + follows - 1) as f32;
            if !page.is_empty() && y + needed > BOTTOM {
                pages.push(std::mem::take(&mut page));
                y = MARGIN;
            }
            if !page.is_empty() {
                y += before;
            }
            for text in lines {
                if y + height > BOTTOM {
                    pages.push(std::mem::take(&mut page));
                    y = MARGIN;
                }
                y += height;
                page.push(Placed { piece, x: MARGIN + indent, y, text });
            }
        }
        pages.push(page);
        pages
    }

    /// What is read out, and as what.
    fn tagged(&self, nodes: Vec<Vec<Node>>) -> TagTree {
        let mut tree = TagTree::new().with_lang(Some(LANGUAGE.to_owned()));
        let mut list: Vec<Node> = Vec::new();
        let mut item: Vec<Node> = Vec::new();
        let end_item = |item: &mut Vec<Node>, list: &mut Vec<Node>| {
            if !item.is_empty() {
                let body = TagGroup::with_children(Tag::LBody, std::mem::take(item));
                list.push(TagGroup::with_children(Tag::LI, vec![body.into()]).into());
            }
        };
        for ((role, text), node) in self.pieces.iter().zip(nodes) {
            let is_of_list = matches!(role, Role::Item | Role::Fact);
            if *role == Role::Item || !is_of_list {
                end_item(&mut item, &mut list);
            }
            if is_of_list {
                item.push(TagGroup::with_children(Tag::P, node).into());
                continue;
            }
            if !list.is_empty() {
                let all = std::mem::take(&mut list);
                tree.push(TagGroup::with_children(Tag::L(ListNumbering::None), all));
            }
            tree.push(match role {
                Role::Title => heading(1, text, node),
                Role::Heading => heading(2, text, node),
                _ => TagGroup::with_children(Tag::P, node),
            });
        }
        end_item(&mut item, &mut list);
        if !list.is_empty() {
            tree.push(TagGroup::with_children(Tag::L(ListNumbering::None), list));
        }
        tree
    }
}

/// Bokmål.
const LANGUAGE: &str = "nb-NO";

fn heading(level: u16, text: &str, node: Vec<Node>) -> TagGroup {
    let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
    TagGroup::with_children(Tag::Hn(level, Some(text.to_owned())), node)
}

fn metadata(about: &About<'_>) -> Metadata {
    let (year, month, day, hour, minute, second) = about.made;
    let made = DateTime::new(year).month(month).day(day).hour(hour).minute(minute).second(second);
    Metadata::new()
        .title(about.title.to_owned())
        .language(LANGUAGE.to_owned())
        .creator("fkj".to_owned())
        .creation_date(made.utc_offset_hour(0).utc_offset_minute(0))
}

impl Role {
    fn face(self, faces: &[Face; 2]) -> &Face {
        let [regular, bold] = faces;
        if self.look().1 { bold } else { regular }
    }
}

impl Face {
    fn new(bytes: &'static [u8]) -> Result<Self, Unprintable> {
        let unreadable = Unprintable("a font cannot be read");
        let font = Font::new(bytes.into(), 0).ok_or(unreadable)?;
        let metrics = FontRef::new(bytes).map_err(|_| unreadable)?;
        Ok(Self { unit: font.units_per_em(), font, metrics })
    }

    /// The glyph of a character, and how wide it is at size 1.
    fn glyph(&self, c: char) -> (u32, f32) {
        let charmap = self.metrics.charmap();
        let found = charmap.map(c).or_else(|| charmap.map(REPLACEMENT)).unwrap_or_default();
        let widths = self.metrics.glyph_metrics(Size::unscaled(), LocationRef::default());
        (found.to_u32(), widths.advance_width(found).unwrap_or_default() / self.unit)
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.glyph(c).1).sum::<f32>() * size
    }

    /// Lines of at most so many points. A word that is longer is broken.
    fn wrapped(&self, text: &str, size: f32, room: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let blank = self.width(" ", size);
        for paragraph in text.lines() {
            let (mut line, mut used) = (String::new(), 0.0);
            for word in paragraph.split_whitespace().map(printable) {
                let width = self.width(&word, size);
                if !line.is_empty() && used + blank + width > room {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                if !line.is_empty() {
                    line.push(' ');
                    used += blank;
                }
                if width <= room {
                    line.push_str(&word);
                    used += width;
                    continue;
                }
                for c in word.chars() {
                    let width = self.glyph(c).1 * size;
                    if used + width > room && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                        used = 0.0;
                    }
                    line.push(c);
                    used += width;
                }
            }
            if !line.is_empty() {
                lines.push(line);
            }
        }
        lines
    }

    fn draw(&self, surface: &mut Surface<'_>, (x, y): (f32, f32), size: f32, text: &str) {
        let glyph = |(at, c): (usize, char)| {
            let (glyph_id, x_advance) = self.glyph(c);
            KrillaGlyph {
                glyph_id: GlyphId::new(glyph_id),
                text_range: at..at + c.len_utf8(),
                x_advance,
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            }
        };
        let glyphs: Vec<KrillaGlyph> = text.char_indices().map(glyph).collect();
        surface.draw_glyphs(Point::from_xy(x, y), &glyphs, self.font.clone(), text, size, false);
    }
}

/// A word without characters that nobody can see, and that the format does not take as text.
fn printable(word: &str) -> String {
    let unseen = |c: &char| !c.is_control() && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    word.chars().filter(unseen).collect()
}
