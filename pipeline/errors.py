"""Everything that can be wrong with a photo or an order.

    IdPhotoError
      UnreadablePhoto     empty_body, broken_image, too_many_scans
      UnsupportedFormat   unsupported_format, unsupported_encoding
      PhotoTooLarge       body_too_large, too_many_pixels, side_too_long, job_too_large,
                          too_many_items, archive_bomb
      UnusablePhoto       photo_too_small, no_face, several_faces, face_too_small,
                          face_cut, not_a_photo, matte_unreliable, no_subject
      UnreadableRequest   bad_form, broken_archive, unsafe_archive, encrypted_archive
      BadOrder            missing_photo, several_photos, unknown_parameter, bad_parameter,
                          unknown_document, transparent_jpeg, missing_photos, bad_override,
                          place_not_allowed, webhook_not_allowed, too_many_bytes,
                          too_few_bytes, bad_cutout, no_font, retouching_forbidden,
                          background_forbidden, not_transparent, url_not_allowed,
                          url_not_fetched
      NotFound            unknown_route, unknown_document, unknown_job, unknown_item
      Gone                cutout_gone, cutout_too_small
      Conflict            idempotency_key_reused, no_result, job_not_ended
      Unauthorised        key_missing, key_unknown
      Forbidden           foreign_origin
      Overloaded          overloaded, key_busy, too_many_streams
      StorageFull         storage_full
      Unavailable         unavailable
      UploadTooSlow       upload_too_slow
      DeadlinePassed      deadline_passed

Each error has a stable ``code``, one sentence and a hint, in English and Chinese. Which HTTP status
a class becomes is decided in one table, ``deployments/problems.py``.
"""

from typing import NamedTuple

from pipeline.job_texts import JOB_TEXTS


class Text(NamedTuple):
    """What a person is told about a code. ``{name}`` is filled from the error's ``details``."""

    title: str
    hint: str
    title_zh: str
    hint_zh: str


TEXTS: dict[str, Text] = {
    "empty_body": Text(
        "The photo is empty.",
        "Send the bytes of a JPEG, PNG, WebP, HEIC or AVIF picture.",
        "照片为空。",
        "请上传 JPEG、PNG、WebP、HEIC 或 AVIF 图片。",
    ),
    "broken_image": Text(
        "The picture is damaged or cut short and cannot be read.",
        "Open it in a viewer to see whether it is whole, then upload it again or export it anew.",
        "图片已损坏或不完整，无法读取。",
        "请用看图软件确认图片完整，然后重新上传或重新导出。",
    ),
    "too_many_scans": Text(
        "The JPEG holds more than {limit} scans.",
        "Save the photo again as an ordinary JPEG.",
        "该 JPEG 的扫描次数超过 {limit} 次。",
        "请将照片另存为普通 JPEG。",
    ),
    "body_too_large": Text(
        "The upload is larger than {limit_mb} MB.",
        "Send a smaller file; a photo of 3 megapixels is plenty.",
        "上传内容超过 {limit_mb} MB。",
        "请上传更小的文件；300 万像素已足够。",
    ),
    "too_many_pixels": Text(
        "The picture has {width} x {height} pixels; at most {limit_mp} megapixels are read.",
        "Scale the photo down first.",
        "图片为 {width} x {height} 像素，最多允许 {limit_mp} 百万像素。",
        "请先缩小照片。",
    ),
    "side_too_long": Text(
        "The picture's longer side has {side_px} pixels; cut-outs are made up to {limit_px}.",
        "Scale the picture down first; here the answer has the size of what was sent.",
        "图片长边为 {side_px} 像素，抠图最多支持 {limit_px} 像素。",
        "请先缩小图片；此接口返回与上传图片相同的尺寸。",
    ),
    "unsupported_format": Text(
        "This is not a picture of a kind that is read here.",
        "Send JPEG, PNG, WebP, HEIC or AVIF. The contents count, not the file's name.",
        "不支持此文件类型。",
        "请上传 JPEG、PNG、WebP、HEIC 或 AVIF；以文件内容为准，与文件名无关。",
    ),
    "unsupported_encoding": Text(
        "The request is encoded with {name}.",
        "Send it as it is, without Content-Encoding; pictures are compressed already.",
        "请求使用了 {name} 编码。",
        "请直接发送，不要使用 Content-Encoding；图片本身已经压缩。",
    ),
    "upload_too_slow": Text(
        "The photo, or the next part of a job, did not arrive within {limit_s} seconds.",
        "Send a smaller file or use a faster connection; a photo of 3 megapixels is plenty.",
        "照片或任务的下一部分未能在 {limit_s} 秒内上传。",
        "请上传更小的文件或使用更快的网络；300 万像素已足够。",
    ),
    "photo_too_small": Text(
        "The picture has only {width} x {height} pixels.",
        "Send a photo of at least {limit} pixels on each side.",
        "图片仅有 {width} x {height} 像素。",
        "请上传每边至少 {limit} 像素的照片。",
    ),
    "no_face": Text(
        "No face was found in the photo.",
        "Use a photo of one person looking into the camera, the whole face lit and uncovered.",
        "照片中未检测到人脸。",
        "请使用一人正对镜头、面部明亮且无遮挡的照片。",
    ),
    "several_faces": Text(
        "{count} faces were found in the photo; an ID photo shows one person.",
        "Cut the photo so that only one person is in it.",
        "照片中检测到 {count} 张人脸；证件照只能有一人。",
        "请裁剪照片，使其中只有一个人。",
    ),
    "face_too_small": Text(
        "The eyes are only {eyes_px} pixels apart in the photo.",
        "Come closer or use a photo with more pixels; at least {limit_px} are needed.",
        "照片中双眼间距仅 {eyes_px} 像素。",
        "请靠近拍摄或使用更清晰的照片；至少需要 {limit_px} 像素。",
    ),
    "face_cut": Text(
        "A part of the face lies outside the photo.",
        "Use a photo that shows the whole head and the shoulders.",
        "面部有一部分在照片之外。",
        "请使用完整显示头部和肩部的照片。",
    ),
    "not_a_photo": Text(
        "The face in the picture looks drawn or painted.",
        "Use a photo as the camera took it, without filters that smooth or paint.",
        "图片中的人脸看起来像绘画，而不是照片。",
        "请使用相机拍摄的原始照片，不要使用磨皮或绘画滤镜。",
    ),
    "matte_unreliable": Text(
        "The person could not be told from the background reliably.",
        "Use a photo with an even background that differs from hair and clothes, in good light.",
        "无法可靠地区分人物与背景。",
        "请在光线良好、背景均匀且与头发和衣服颜色不同的环境下拍摄。",
    ),
    "no_subject": Text(
        "Nothing stands out from the background of this picture.",
        "Use a picture of one clear subject.",
        "图片中没有明显的主体。",
        "请使用主体清晰的图片。",
    ),
    "unknown_document": Text(
        "There is no document named {name}.",
        "GET /v1/documents lists every document; for a free size give size_mm or size_px.",
        "没有名为 {name} 的证件类型。",
        "GET /v1/documents 可列出全部证件；自定义尺寸请使用 size_mm 或 size_px。",
    ),
    "bad_parameter": Text(
        "The parameter {name} cannot be used: {reason}.",
        "See /docs for the values that {name} takes.",
        "参数 {name} 无效：{reason}。",
        "{name} 的可用取值见 /docs。",
    ),
    "unknown_parameter": Text(
        "There is no parameter named {name}.",
        "See /docs for the parameters of this route.",
        "没有名为 {name} 的参数。",
        "本接口的参数见 /docs。",
    ),
    "missing_photo": Text(
        "The request holds no photo.",
        "Send it as the multipart field photo, or as the whole body with an image content type.",
        "请求中没有照片。",
        "请以 multipart 字段 photo 上传，或以图片类型作为整个请求体上传。",
    ),
    "several_photos": Text(
        "The request holds more than one photo.",
        "Send one photo in each request.",
        "请求中包含多张照片。",
        "每个请求只能上传一张照片。",
    ),
    "bad_form": Text(
        "The form cannot be read: {reason}.",
        "Send multipart/form-data as browsers and curl -F do.",
        "无法解析表单：{reason}。",
        "请按浏览器或 curl -F 的方式发送 multipart/form-data。",
    ),
    "transparent_jpeg": Text(
        "JPEG cannot be transparent.",
        "Choose format png or webp, or a background colour.",
        "JPEG 不支持透明背景。",
        "请选择 png 或 webp 格式，或指定背景颜色。",
    ),
    "too_many_bytes": Text(
        "The smallest file that can be looked at has {bytes} bytes; it may have {limit}.",
        "Allow more kB, or ask for fewer pixels (a lower dpi) or for JPEG.",
        "在保证可看质量下，最小文件为 {bytes} 字节，超过上限 {limit} 字节。",
        "请放宽 KB 上限，或降低像素（dpi），或选择 JPEG 格式。",
    ),
    "too_few_bytes": Text(
        "The best file has {bytes} bytes; it must have {limit}, and files are not padded.",
        "Allow fewer kB, ask for more pixels (a higher dpi), or send a photo with more detail.",
        "最高质量文件为 {bytes} 字节，低于下限 {limit} 字节；文件不会被填充。",
        "请降低 KB 下限，或提高像素（dpi），或上传细节更丰富的照片。",
    ),
    "not_transparent": Text(
        "The picture has no transparent ground to put a colour on.",
        "Send a cut-out, such as POST /idphoto or POST /human_matting make.",
        "图片没有透明背景，无法换底色。",
        "请先用 POST /idphoto 或 POST /human_matting 抠图。",
    ),
    "url_not_allowed": Text(
        "The picture's address may not be fetched: {reason}.",
        "Send the picture itself; whoever runs the service can name hosts in dropin.fetch_hosts.",
        "不允许获取该图片地址：{reason}。",
        "请直接上传图片；服务管理员可在 dropin.fetch_hosts 中添加主机。",
    ),
    "url_not_fetched": Text(
        "The picture could not be fetched: {reason}.",
        "Check that the address gives the picture at once, or send the picture itself.",
        "无法获取图片：{reason}。",
        "请确认该地址可直接返回图片，或直接上传图片。",
    ),
    "no_font": Text(
        "No installed font has the letter {letter}.",
        "Use other letters; whoever runs the service can install fonts with the extra fonts.",
        "已安装的字体中没有字符 {letter}。",
        "请使用其他字符；服务管理员可通过 fonts 扩展安装字体。",
    ),
    "retouching_forbidden": Text(
        "{document} does not allow {name}.",
        "Leave {name} out, or take the photo anew in better light.",
        "{document} 不允许 {name}。",
        "请去掉 {name}，或在更好的光线下重新拍摄。",
    ),
    "background_forbidden": Text(
        "{document} wants a plain background, not {name}.",
        "Choose one colour; gradients and pictures are for sizes without such a rule.",
        "{document} 要求纯色背景，不能使用 {name}。",
        "请选择单一颜色；渐变和图片背景仅适用于无此规定的尺寸。",
    ),
    "bad_cutout": Text(
        "The cut-out's token was not made by this service.",
        "Send the token as it came in X-Cutout, or send the photo.",
        "抠图令牌不是由本服务签发的。",
        "请原样使用 X-Cutout 返回的令牌，或重新上传照片。",
    ),
    "cutout_gone": Text(
        "The cut-out is no longer kept.",
        "Send the photo again.",
        "抠图已不再保留。",
        "请重新上传照片。",
    ),
    "cutout_too_small": Text(
        "{document} needs more of the photo than is kept with the cut-out.",
        "Send the photo again.",
        "{document} 所需的照片内容超出抠图保留的范围。",
        "请重新上传照片。",
    ),
    "unknown_route": Text(
        "There is nothing at this address.",
        "See /docs for the addresses of this service.",
        "此地址不存在。",
        "本服务的接口见 /docs。",
    ),
    "key_missing": Text(
        "This service asks for an API key, and the request has none.",
        "Send the header Authorization: Bearer KEY, or X-Api-Key: KEY.",
        "本服务需要 API 密钥，但请求未提供。",
        "请发送请求头 Authorization: Bearer KEY 或 X-Api-Key: KEY。",
    ),
    "key_unknown": Text(
        "The API key is not one of this service's.",
        "Check that the key is whole; whoever runs the service can make a new one.",
        "API 密钥无效。",
        "请确认密钥完整；服务管理员可以生成新的密钥。",
    ),
    "foreign_origin": Text(
        "Web pages of {origin} may not use this service.",
        "Whoever runs the service can name the page's origin in the setting allowed_origins.",
        "不允许 {origin} 的网页使用本服务。",
        "服务管理员可在 allowed_origins 设置中添加该网页来源。",
    ),
    "key_busy": Text(
        "This API key has {limit} photos in the works, as many as it may have at once.",
        "Wait for one of them, or try again after the seconds in Retry-After.",
        "此 API 密钥已有 {limit} 张照片在处理中，达到并发上限。",
        "请等待其中一张完成，或按 Retry-After 给出的秒数稍后重试。",
    ),
    "overloaded": Text(
        "The service has as many photos as it can finish in time.",
        "Try again after the seconds in Retry-After.",
        "服务繁忙，当前照片已达上限。",
        "请按 Retry-After 给出的秒数稍后重试。",
    ),
    "unavailable": Text(
        "The service is starting, stopping, or has lost a part of itself.",
        "Try again after the seconds in Retry-After.",
        "服务正在启动、停止或部分不可用。",
        "请按 Retry-After 给出的秒数稍后重试。",
    ),
    "deadline_passed": Text(
        "The photo was not finished in time.",
        "Try again; if it happens often, the service needs more replicas.",
        "照片未能在限定时间内完成。",
        "请重试；若经常发生，服务需要更多副本。",
    ),
}
TEXTS |= {code: Text(*texts) for code, texts in JOB_TEXTS.items()}


class IdPhotoError(Exception):
    """Root of the tree. ``details`` fills the texts of ``code`` and may be shown to anyone.

    Only ``code`` and ``details`` are kept, as the exception's ``args``, so that an error crosses
    processes.
    """

    def __init__(self, code: str, **details: str | int | float) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.code, self.details)

    def __str__(self) -> str:
        return self.text.title

    @property
    def text(self) -> Text:
        """The code's texts, filled in."""
        return Text(*(part.format(**self.details) for part in TEXTS[self.code]))


def _restore(
    kind: type[IdPhotoError], code: str, details: dict[str, str | int | float]
) -> IdPhotoError:
    return kind(code, **details)


class UnreadablePhoto(IdPhotoError):
    """The bytes claim to be a picture that we read, but are damaged or hostile."""


class PhotoTooLarge(IdPhotoError):
    """More bytes or pixels than the limits allow; known before anything was decoded."""


class UnsupportedFormat(IdPhotoError):
    """The bytes are of no kind that we read."""


class UnusablePhoto(IdPhotoError):
    """A sound picture that cannot become an ID photo."""


class UnreadableRequest(IdPhotoError):
    """The request's form is damaged or too complex."""


class BadOrder(IdPhotoError):
    """The request asks for something that does not exist or does not fit together."""


class NotFound(IdPhotoError):
    """The address names nothing."""


class Gone(IdPhotoError):
    """What was kept of a photo is there no longer, or not enough of it; the photo will do."""


class Unauthorised(IdPhotoError):
    """The service asks for an API key, and the request has none that it knows."""


class Forbidden(IdPhotoError):
    """Whoever asks is known or need not be, and may not."""


class Conflict(IdPhotoError):
    """What the address names is not in a state that allows this."""


class StorageFull(IdPhotoError):
    """The photos of a job have no room on the disk, or in the quota."""


class Overloaded(IdPhotoError):
    """Every place is taken; nothing was started."""


class Unavailable(IdPhotoError):
    """No replica can take the photo at the moment."""


class UploadTooSlow(IdPhotoError):
    """The client does not send its photo fast enough to keep a place for it."""


class DeadlinePassed(IdPhotoError):
    """The time that the photo was given is over."""
