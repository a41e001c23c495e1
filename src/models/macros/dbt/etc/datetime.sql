{% macro convert_datetime(date_str, date_fmt) %}
  {% set problem = "The date '" ~ date_str ~ "' does not have the format '" ~ date_fmt ~ "'" %}
  {% do return(try_or_compiler_error(problem, modules.datetime.datetime.strptime, date_str.strip(), date_fmt)) %}
{% endmacro %}

{# Every day from the first to the last, both included: texts in out_fmt, or datetimes without one. #}
{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt="%Y%m%d", out_fmt="%Y%m%d") %}
  {% set first = convert_datetime(start_date_str, in_fmt) %}
  {% set last = first if end_date_str is none else convert_datetime(end_date_str, in_fmt) %}
  {% set span = (last - first).days %}
  {% if span < 0 %}
    {% do exceptions.raise_compiler_error(
        "The range of dates ends (" ~ last ~ ") before it starts (" ~ first ~ ")", model) %}
  {% endif %}

  {% set days = [] %}
  {% for offset in range(span + 1) %}
    {% set day = first + modules.datetime.timedelta(days=offset) %}
    {% do days.append(day.strftime(out_fmt) if out_fmt else day) %}
  {% endfor %}
  {% do return(days) %}
{% endmacro %}

{# "20240101" or "20240101,20240131" as the list of its days. #}
{% macro partition_range(raw_partition_date, date_fmt='%Y%m%d') %}
  {% set ends = (raw_partition_date | string).split(',') %}
  {% if ends | length > 2 %}
    {% do exceptions.raise_compiler_error(
        "'" ~ raw_partition_date ~ "' is no range of dates: give one date, or the first and the last with a comma between") %}
  {% endif %}
  {% do return(dates_in_range(ends[0], ends[1] if ends | length == 2 else none, in_fmt=date_fmt)) %}
{% endmacro %}

{% macro py_current_timestring() %}
  {% do return(modules.datetime.datetime.now().strftime('%Y%m%d%H%M%S%f')) %}
{% endmacro %}
