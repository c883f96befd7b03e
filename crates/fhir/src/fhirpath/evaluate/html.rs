//! The rules of a narrative's XHTML (R4 narrative §2.25.0.3): one well-formed `div`, only the elements
//! and attributes of the basic formatting chapters of HTML, and something to see.

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// How deep elements may nest.
const DEEPEST: usize = 256;

const ELEMENTS: [&str; 55] = [
    "a",
    "abbr",
    "acronym",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

const ATTRIBUTES: [&str; 43] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "cite",
    "class",
    "color",
    "colspan",
    "coords",
    "datetime",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "id",
    "idref",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "noshade",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "valign",
];

const MORE_ATTRIBUTES: [&str; 5] = ["rel", "type", "value", "width", "usemap"];

/// The characters that HTML 4 and XML give names.
const ENTITIES: &str = "\
    AElig Aacute Acirc Agrave Alpha Aring Atilde Auml Beta Ccedil Chi Dagger Delta ETH Eacute \
    Ecirc Egrave Epsilon Eta Euml Gamma Iacute Icirc Igrave Iota Iuml Kappa Lambda Mu Ntilde Nu \
    OElig Oacute Ocirc Ograve Omega Omicron Oslash Otilde Ouml Phi Pi Prime Psi Rho Scaron \
    Sigma THORN Tau Theta Uacute Ucirc Ugrave Upsilon Uuml Xi Yacute Yuml Zeta aacute acirc \
    acute aelig agrave alefsym alpha amp and ang aring asymp atilde auml bdquo beta brvbar bull \
    cap ccedil cedil cent chi circ clubs cong copy crarr cup curren dArr dagger darr deg delta \
    diams divide eacute ecirc egrave empty emsp ensp epsilon equiv eta eth euml euro exist fnof \
    forall frac12 frac14 frac34 frasl gamma ge gt hArr harr hearts hellip iacute icirc iexcl \
    igrave image infin int iota iquest isin iuml kappa lArr lambda lang laquo larr lceil ldquo \
    le lfloor lowast loz lrm lsaquo lsquo lt macr mdash micro middot minus mu nabla nbsp ndash \
    ne ni not notin nsub ntilde nu oacute ocirc oelig ograve oline omega omicron oplus or ordf \
    ordm oslash otilde otimes ouml para part permil perp phi pi piv plusmn pound prime prod \
    prop psi quot rArr radic rang raquo rarr rceil rdquo real reg rfloor rho rlm rsaquo rsquo \
    sbquo scaron sdot sect shy sigma sigmaf sim spades sub sube sum sup sup1 sup2 sup3 supe \
    szlig tau there4 theta thetasym thinsp thorn tilde times trade uArr uacute uarr ucirc \
    ugrave uml upsih upsilon uuml weierp xi yacute yen yuml zeta zwj zwnj apos";

/// Whether a text is XHTML that a narrative may hold.
pub(super) fn fits(text: &str) -> bool {
    let mut reader = Reader { rest: text.trim(), open: Vec::new(), visible: false };
    reader.all().is_some() && reader.visible
}

struct Reader<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    /// Whether there is text or an image.
    visible: bool,
}

impl<'t> Reader<'t> {
    /// Reads everything; nothing where a rule is broken.
    fn all(&mut self) -> Option<()> {
        self.rest.starts_with("<div").then_some(())?;
        while !self.rest.is_empty() {
            if let Some(rest) = self.rest.strip_prefix("<!--") {
                self.rest = rest.split_once("-->")?.1;
            } else if let Some(rest) = self.rest.strip_prefix("</") {
                let (name, rest) = rest.split_once('>')?;
                (self.open.pop()? == name.trim_end()).then_some(())?;
                self.rest = rest;
                if self.open.is_empty() {
                    return rest.trim().is_empty().then_some(());
                }
            } else if let Some(rest) = self.rest.strip_prefix('<') {
                self.rest = rest;
                self.element()?;
            } else {
                let end = self.rest.find('<')?;
                let (text, rest) = self.rest.split_at_checked(end)?;
                entities_known(text).then_some(())?;
                self.visible |= !text.trim().is_empty();
                self.rest = rest;
            }
        }
        None
    }

    /// A start tag after its `<`.
    fn element(&mut self) -> Option<()> {
        let name = self.word()?;
        ELEMENTS.contains(&name).then_some(())?;
        self.visible |= name == "img";
        let mut has_namespace = false;
        loop {
            let blank = self.rest.starts_with(char::is_whitespace);
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix("/>") {
                self.rest = rest;
                return (!self.open.is_empty()).then_some(());
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                (self.open.len() < DEEPEST).then_some(())?;
                (has_namespace || !self.open.is_empty()).then_some(())?;
                self.open.push(name);
                return Some(());
            }
            blank.then_some(())?;
            let attribute = self.word()?;
            let value = self.value()?;
            if attribute == "xmlns" {
                has_namespace = true;
                (value == NAMESPACE).then_some(())?;
            } else {
                allowed(attribute, value).then_some(())?;
            }
        }
    }

    fn word(&mut self) -> Option<&'t str> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_:.".contains(letter);
        let end = self.rest.find(|letter| !fits(letter))?;
        let (word, rest) = self.rest.split_at_checked(end).filter(|_| end > 0)?;
        self.rest = rest;
        Some(word)
    }

    fn value(&mut self) -> Option<&'t str> {
        let rest = self.rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, rest) = rest.strip_prefix(quote)?.split_once(quote)?;
        self.rest = rest;
        (!value.contains('<') && entities_known(value)).then_some(value)
    }
}

fn allowed(attribute: &str, value: &str) -> bool {
    let known = ATTRIBUTES.contains(&attribute) || MORE_ATTRIBUTES.contains(&attribute);
    let script = || value.trim_start().to_ascii_lowercase().starts_with("javascript:");
    (known || attribute == "xml:lang" || attribute == "xml:space")
        && !(matches!(attribute, "href" | "src") && script())
}

/// Whether each `&` begins a character that XML or HTML knows.
fn entities_known(text: &str) -> bool {
    text.split('&').skip(1).all(|rest| {
        let Some((name, _)) = rest.split_once(';') else {
            return false;
        };
        let number = |digits: &str, radix| {
            let code = u32::from_str_radix(digits, radix).ok();
            code.and_then(char::from_u32).is_some()
        };
        match name.strip_prefix('#') {
            Some(hex) if hex.starts_with('x') => number(hex.get(1..).unwrap_or_default(), 16),
            Some(decimal) => number(decimal, 10),
            None => ENTITIES.split(' ').any(|known| known == name),
        }
    })
}
