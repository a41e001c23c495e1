{%- macro external_location(relation, config) -%}
    {%- set file = adapter.external_root() ~ '/' ~ relation.identifier -%}
    {%- set partitioned = config.get('options', {}).get('partition_by') is not none -%}
    {{ file if partitioned else file ~ '.' ~ config.get('format', 'parquet') }}
{%- endmacro -%}

{# The options of the copy; `format` and `delimiter` may stand in the config itself. #}
{% macro render_write_options(config) -%}
    {% set options = config.get('options', {}) %}
    {% if options is not mapping %}
        {% do exceptions.raise_compiler_error('The config options of an external model is a dictionary, not ' ~ options) %}
    {% endif %}
    {% for key in options %}
        {% do options.update({key: render(options[key])}) %}
    {% endfor %}
    {% for key in ['format', 'delimiter'] if config.get(key) %}
        {% do options.update({key: render(config.get(key))}) %}
    {% endfor %}
    {% do return(options) %}
{%- endmacro %}

{# What the view reads: the configured format, else the one of the written file. #}
{% macro _external_format(configured, options) %}
    {% set known = ['csv', 'parquet', 'json'] %}
    {% if configured and configured not in known %}
        {% do exceptions.raise_compiler_error("The format of an external model is '" ~ configured ~ "'; it may be " ~ known | join(', ')) %}
    {% endif %}
    {% set written = options['format'] | lower %}
    {% do return(configured or (written if written in known else 'parquet')) %}
{% endmacro %}

{# ", key=value" for each option of the reader. Only names in lower case tell DuckDB of a compression by themselves. #}
{% macro _external_read_options(format, options) -%}
    {%- set usual = {'union_by_name': False} if format == 'parquet' else {'auto_detect': True} -%}
    {%- set given = dict(config.get(format ~ '_read_options', usual)) -%}
    {%- if format != 'parquet' and options.get('compression') -%}
        {%- do given.setdefault('compression', options['compression']) -%}
    {%- endif -%}
    {%- for key, value in given.items() -%}
        , {{ key }}={{ "'" ~ value ~ "'" if value is string else value }}
    {%- endfor -%}
{%- endmacro %}
