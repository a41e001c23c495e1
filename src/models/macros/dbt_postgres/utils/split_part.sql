{% macro postgres__split_part(string_text, delimiter_text, part_number) %}

  {% set splitter = dbt.default__split_part if part_number >= 0 else dbt._split_part_negative %}
    {{ splitter(string_text, delimiter_text, part_number) }}
  {# the ends of lines here are part of the text #}

{% endmacro %}
